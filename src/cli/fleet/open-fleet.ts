/** A fleet's file as a command is given it, read with the create flags that there are here. */
import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import * as path from "node:path";
import { invalid } from "../../fleet/file/complaint.ts";
import type { FlagSource } from "../../fleet/file/flag-source.ts";
import type { FleetFile } from "../../fleet/file/fleet-file.ts";
import { parseFleet } from "../../fleet/file/parse-fleet.ts";
import { logTo } from "../../log/event.ts";
import { readRegularFileIfExists } from "../../system/files.ts";
import type { CliContext } from "../cli-context.ts";
import { readNamedBytes } from "../named-file.ts";
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
  const text = textOf(await readNamedBytes(name, name === defaultFile ? otherFile : undefined, context), name);
  const source = cliFlagSource(computer);
  const file = await parseFleet(text, name, source);
  for (const warning of file.warnings) logTo(context.report, "warn", warning);
  return { file, source, path: path.resolve(computer.cwd, name), digest: digestOf(text) };
}

/** Throws `fleet-invalid` for what is no text, where it ends to be one. */
function textOf(bytes: Buffer, file: string): string {
  const text = bytes.toString("utf8");
  if (isUtf8(bytes) && !text.includes("\0")) return text;
  const lines = text.slice(0, Math.max(0, text.search(/[\uFFFD\0]/u))).split("\n");
  const place = `${file}:${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
  throw invalid(place, "this is no text in UTF-8", "Is it the right file? If it is, save it as UTF-8.");
}

export async function digestOfFile(file: string): Promise<string | undefined> {
  const bytes = await readRegularFileIfExists(file);
  return bytes && digestOf(bytes.toString("utf8"));
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
