/** Writes the completion of shells into the user's own folders. What stands there and is not ours stays. */
import * as path from "node:path";
import { MachineError } from "../../errors/machine-error.ts";
import { makePrivateDirectory, readRegularFileIfExists, writeFileAtomic } from "../../system/files.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { completionPlaces, type InstallableShell } from "../completion/completion-place.ts";
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

export async function run({ args }: Invocation, context: CliContext): Promise<void> {
  const { homeDir, env } = context.computer;
  if (homeDir === undefined)
    throw new MachineError("usage", "No home directory is known to put completions into", { hint: "Set HOME." });
  const shells = (args.length === 0 ? [detectShell(context.computer)] : args).map(requireShell);
  const installed: Installed[] = [];
  for (const shell of new Set(shells)) {
    const { file, needs } = completionPlaces[shell]({ env, homeDir });
    installed.push({ shell, file, isWritten: await install(file, completionAlone[shell]) });
    if (context.globals.output === "json") continue;
    context.print(`${installed.at(-1)?.isWritten === true ? "Wrote" : "Is there already:"} ${file}`);
    if (needs !== undefined) context.print(`zsh looks there once this stands in ${needs.file}, before compinit: ${needs.line}`);
  }
  if (context.globals.output === "json") context.printJson(installed);
}

function requireShell(word: string): InstallableShell {
  if (Object.hasOwn(completionAlone, word)) return word as InstallableShell;
  throw new MachineError("usage", `No shell ${JSON.stringify(word)} loads completions from a folder`, {
    hint: `Name one of ${Object.keys(completionAlone).join(", ")}; for others see docker-machine completion --help.`,
  });
}

/** False where it is there already. */
async function install(file: string, script: string): Promise<boolean> {
  const before = (await readRegularFileIfExists(file))?.toString("utf8");
  if (before === script) return false;
  if (before !== undefined && !ours.test(before))
    throw new MachineError("store-unusable", `${file} is not ours, and stays`, {
      hint: "Move it away and run the command again.",
    });
  await makePrivateDirectory(path.dirname(file));
  await writeFileAtomic(file, script, fileMode);
  return true;
}
