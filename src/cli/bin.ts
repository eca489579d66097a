#!/usr/bin/env node
/** The program's entry: gives `main` the commands and this process's arguments, streams and signals. */
import { servedDriverName } from "../plugin/plugin-environment.ts";
import { thisComputer } from "../system/computer.ts";
import { commandSource } from "./command.ts";
import { everydayCommands } from "./everyday-commands.ts";
import { main } from "./main.ts";
import { endWith, processContext } from "./terminal/process-context.ts";
import { processStreams } from "./terminal/process-streams.ts";
import { programPath } from "./terminal/program-path.ts";

async function start(): Promise<void> {
  const computer = thisComputer();
  const program = programPath(process, computer);
  const served = servedDriverName(program, process.argv.slice(2), computer);
  const argv = [program, ...(served === undefined ? process.argv.slice(2) : ["driver", "serve", served])];
  const streams = processStreams(computer);
  // What prompts, scripts and editors start all the time is among the first.
  const commands = commandSource(everydayCommands, async () => (await import("./command-table.ts")).commandTable);
  endWith(await main(argv, computer, streams, processContext(commands)), streams);
}

void start();
