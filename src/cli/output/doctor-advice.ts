/**
 * The way out of errors of a machine that `doctor` can explain and the command that met them cannot: what is in the way of
 * SSH or of the engine is seen from the machine's other side, or by looking at all of it.
 */
import type { ErrorCode } from "../../errors/codes.ts";
import { isMachineError } from "../../errors/machine-error.ts";
import { CreationError } from "../../machine/creation-error.ts";
import { quoteWord } from "../../ssh/shell-quote.ts";
import { argumentKinds } from "../completion/arguments.ts";
import type { Invocation } from "../command.ts";
import { isSelected } from "../selection/selection-flags.ts";
import { failuresOf } from "./render-error.ts";

const explained: ReadonlySet<ErrorCode> = new Set([
  "ssh-unreachable",
  "ssh-closed",
  "ssh-authentication",
  "ssh-key-unusable",
  "sudo-required",
  "engine-unreachable",
  "engine-timeout",
  "engine-certificate",
  "engine-start",
  "timeout",
]);

/** The doctor itself, and what leaves no machine behind where it fails, as creates within other commands do. */
const silent: ReadonlySet<string> = new Set(["doctor", "create"]);

/** `docker-machine doctor NAME`; undefined where that is no help, or told already. */
export function doctorCommand(error: unknown, invocation: Invocation): string | undefined {
  if (silent.has(invocation.command.name)) return undefined;
  const failures = failuresOf(error).filter((failure) => isExplained(failure.error));
  const machines = failures.length > 0 ? failures.map(({ name }) => name) : isExplained(error) ? machinesOf(invocation) : [];
  return machines.length === 0 ? undefined : `docker-machine doctor ${machines.join(" ")}`;
}

function isExplained(error: unknown): boolean {
  if (error instanceof CreationError) return false;
  return isMachineError(error) && explained.has(error.code) && error.hint?.includes("docker-machine doctor") !== true;
}

/** In words for the command line. */
function machinesOf({ command, args, options }: Invocation): readonly string[] {
  if (command.selects === true && isSelected(options)) {
    const filters = options.strings("filter");
    return filters.length === 0 ? ["--all"] : filters.flatMap((filter) => ["--filter", quoteWord(filter)]);
  }
  switch (argumentKinds[command.name]) {
    case "machine":
    case "with":
      return [bare(args[0] ?? "default")];
    case "machines":
      return args.length === 0 ? ["default"] : args;
    case "machine-path":
    case "mount":
      return [...new Set(args.flatMap((arg) => /^([^/.~][^/:]*):/u.exec(arg)?.[1] ?? []).map(bare))];
    default:
      return [];
  }
}

/** Without the user. */
function bare(machine: string): string {
  return machine.slice(machine.lastIndexOf("@") + 1);
}
