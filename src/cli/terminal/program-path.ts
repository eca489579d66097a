/** The program as the user typed it, for hints and for `env`'s command line. */
import type { Computer } from "../../system/computer.ts";

export interface ProcessNames {
  /** `process.argv`. */
  readonly argv: readonly string[];
  /** `process.argv0`. */
  readonly argv0: string;
}

/** What a program that starts itself once more has to know. */
export interface OwnProcess extends ProcessNames {
  /** `process.execPath`. */
  readonly execPath: string;
  /** `process.execArgv`. */
  readonly execArgv: readonly string[];
}

/** Where Bun keeps the sources of a single-file executable: argv[1] then is no path of the user's. */
function isInsideExecutable(script: string): boolean {
  return script.startsWith("/$bunfs/") || /^[A-Z]:[\\/]~BUN[\\/]/u.test(script);
}

/**
 * DOCKER_MACHINE_ARGV0, which launchers set, decides. A script that was found on PATH is given by its full path, so a
 * folder of PATH is taken off again.
 */
export function programPath({ argv, argv0 }: ProcessNames, computer: Computer): string {
  const given = computer.env["DOCKER_MACHINE_ARGV0"];
  if (given !== undefined && given !== "") return given;
  const script = argv[1] ?? argv0;
  if (isInsideExecutable(script)) return argv0;
  const { win32, posix } = process.getBuiltinModule("node:path");
  const paths = computer.os === "windows" ? win32 : posix;
  return (computer.env["PATH"] ?? "").split(paths.delimiter).includes(paths.dirname(script)) ? paths.basename(script) : script;
}

/** The command line that starts this very program again, whatever it was called by. */
export function ownProgram({ argv, argv0, execPath, execArgv }: OwnProcess): readonly string[] {
  const script = argv[1] ?? argv0;
  return isInsideExecutable(script) ? [execPath] : [execPath, ...execArgv, script];
}
