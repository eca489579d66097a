/** Writes the completion of shells into the user's own folders. What stands there and is not ours stays. */
import * as path from "node:path";
import { isMachineError, MachineError } from "../../errors/machine-error.ts";
import { makePrivateDirectory, readRegularFileIfExists, writeFileAtomic } from "../../system/files.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { completionPlaces, type CompletionPlace, type InstallableShell } from "../completion/completion-place.ts";
import { completionAlone } from "../completion/scripts.ts";
import { detectShell } from "../shell/shell-env.ts";

const fileMode = 0o644;
/** Stands in each of our scripts, and in those of older versions. */
const ours = /Completion of docker-machine for/u;

interface Installed {
  readonly shell: InstallableShell;
  readonly file: string;
  readonly isWritten: boolean;
}

/** Every shell that is named is seen to, whatever becomes of the others. */
export async function run({ args }: Invocation, context: CliContext): Promise<void> {
  const { homeDir, env } = context.computer;
  if (homeDir === undefined)
    throw new MachineError("usage", "No home directory is known to put completions into", { hint: "Set HOME." });
  const shells = (args.length === 0 ? [detectShell(context.computer)] : args).map(requireShell);
  const installed: Installed[] = [];
  const failures: MachineError[] = [];
  for (const shell of new Set(shells)) {
    const place = completionPlaces[shell]({ env, homeDir });
    try {
      const isWritten = await install(place, completionAlone[shell]);
      installed.push({ shell, file: place.file, isWritten });
      if (context.globals.output === "text") tell(place, isWritten, context);
    } catch (error) {
      if (!isMachineError(error)) throw error;
      failures.push(error);
    }
  }
  if (context.globals.output === "json") context.printJson(installed);
  throwTogether(failures);
}

function tell({ file, needs }: CompletionPlace, isWritten: boolean, context: CliContext): void {
  context.print(`${isWritten ? "Wrote" : "Is there already:"} ${file}`);
  if (needs !== undefined) context.print(`zsh looks there once this stands in ${needs.file}, before compinit: ${needs.line}`);
}

function requireShell(word: string): InstallableShell {
  if (Object.hasOwn(completionAlone, word)) return word as InstallableShell;
  throw new MachineError("usage", `No shell ${JSON.stringify(word)} loads completions from a folder`, {
    hint: `Name one of ${Object.keys(completionAlone).join(", ")}; for others see docker-machine completion --help.`,
  });
}

/** False where it is there already. */
async function install({ file, load }: CompletionPlace, script: string): Promise<boolean> {
  const before = (await readRegularFileIfExists(file))?.toString("utf8");
  if (before === script) return false;
  if (before !== undefined && !ours.test(before))
    throw new MachineError("store-unusable", `${file} is not ours, and stays`, {
      hint: "Move it away and run the command again.",
    });
  try {
    await makePrivateDirectory(path.dirname(file));
    await writeFileAtomic(file, script, fileMode);
    return true;
  } catch (error) {
    if (!isMachineError(error, "store-unusable")) throw error;
    throw new MachineError("store-unusable", error.message, {
      cause: error,
      hint: `See that you may write there, or have your shell load it: ${load}`,
    });
  }
}

/** One is thrown as it is, several as one sentence with every way out. */
function throwTogether(failures: readonly MachineError[]): void {
  const [first] = failures;
  if (first === undefined) return;
  if (failures.length === 1) throw first;
  const hints = new Set(failures.map(({ hint }) => hint));
  throw new MachineError(first.code, failures.map(({ message }) => message).join("; "), { hint: [...hints].join(" ") });
}
