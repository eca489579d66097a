/** The report of a bug: what a maintainer needs, without values of flags and without secrets, in a file of the store. */
import * as path from "node:path";
import { MachineError } from "../../errors/machine-error.ts";
import type { Redactor } from "../../log/redact.ts";
import { makePrivateDirectory, writeFileAtomic } from "../../system/files.ts";
import type { Clock } from "../../system/clock.ts";
import type { Computer } from "../../system/computer.ts";
import type { Command } from "../command.ts";
import { stacks } from "./render-error.ts";
import { commit, version } from "../version.ts";

export interface CrashSubject {
  readonly computer: Computer;
  readonly clock: Clock;
  readonly runtime: string;
  readonly redactor: Redactor;
  /** Undefined when the run ended before a command was found. */
  readonly command: Command | undefined;
  readonly argv: readonly string[];
}

/** Writes the report and gives its path. Throws where the store cannot be written. */
export async function writeCrashReport(error: unknown, subject: CrashSubject, storagePath: string | undefined): Promise<string> {
  if (storagePath === undefined) throw new MachineError("store-unusable", "the store's folder is not known");
  const folder = path.join(storagePath, "crash-reports");
  await makePrivateDirectory(folder);
  const file = path.join(
    folder,
    `${subject.clock
      .now()
      .toISOString()
      .replaceAll(/[-:]|\.\d+/gu, "")}-${subject.computer.pid}.txt`,
  );
  await writeFileAtomic(file, crashReport(error, subject), 0o600);
  return file;
}

/** The report's text. */
export function crashReport(error: unknown, { computer, runtime, redactor, command, argv }: CrashSubject): string {
  const lines = [
    `docker-machine ${version}, build ${commit}`,
    `${computer.os} ${computer.arch}, ${runtime}`,
    `command: ${[command?.name ?? "none", ...flagNames(argv.slice(1))].join(" ")}`,
    "",
    ...stacks(error),
  ];
  return `${redactor.redact(lines.join("\n"))}\n`;
}

/** Values and machine names stay out of a report. */
function flagNames(words: readonly string[]): string[] {
  return words.filter((word) => /^--?[a-z]/iu.test(word)).map((word) => word.replace(/=.*/su, ""));
}
