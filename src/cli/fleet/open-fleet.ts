/** A fleet's file as a command is given it, read with the create flags that there are here. */
import { createHash } from "node:crypto";
import * as path from "node:path";
import type { FlagSource } from "../../fleet/file/flag-source.ts";
import type { FleetFile } from "../../fleet/file/fleet-file.ts";
import { parseFleet } from "../../fleet/file/parse-fleet.ts";
import { logTo } from "../../log/event.ts";
import { readRegularFileIfExists } from "../../system/files.ts";
import type { CliContext } from "../cli-context.ts";
import { readNamedFile } from "../named-file.ts";
import { cliFlagSource } from "./cli-flag-source.ts";
import { defaultFile } from "./fleet-flags.ts";

const otherFile =
  "Name another one with --file. docker-machine plan --import NAME prints how a machine that exists would stand in it.";

export interface OpenedFleet {
  readonly file: FleetFile;
  readonly source: FlagSource;
  /** Absolute. */
  readonly path: string;
  /** Of the text, by which a change of it is seen. */
  readonly digest: string;
}

/** Says what the file's author should know. Throws `fleet-invalid`, and `usage` where there is no file. */
export async function openFleet(name: string, context: CliContext): Promise<OpenedFleet> {
  const { computer } = context;
  const text = await readNamedFile(name, name === defaultFile ? otherFile : undefined, context);
  const source = cliFlagSource(computer);
  const file = await parseFleet(text, name, source);
  for (const warning of file.warnings) logTo(context.report, "warn", warning);
  return { file, source, path: path.resolve(computer.cwd, name), digest: digestOf(text) };
}

export async function digestOfFile(file: string): Promise<string | undefined> {
  const bytes = await readRegularFileIfExists(file);
  return bytes && digestOf(bytes.toString("utf8"));
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
