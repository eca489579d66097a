#!/usr/bin/env node
/** The program's entry: gives `main` the commands and this process's arguments, streams and signals. */
import { servedDriverName } from "../plugin/plugin-environment.ts";
import { currentPlatform } from "../system/host-platform.ts";
import { commandTable } from "./command-table.ts";
import { main } from "./main.ts";
import { endWith, processPorts } from "./terminal/process-ports.ts";
import { processStreams } from "./terminal/process-streams.ts";
import { programPath } from "./terminal/program-path.ts";

async function start(): Promise<void> {
  const platform = currentPlatform();
  const program = programPath(process, platform);
  const served = servedDriverName(program, platform);
  const argv = [program, ...(served === undefined ? process.argv.slice(2) : ["driver", "serve", served])];
  const streams = processStreams(platform);
  endWith(await main(argv, platform, streams, processPorts(commandTable)), streams);
}

void start();
