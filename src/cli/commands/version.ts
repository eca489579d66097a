import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { commit, version, versionLine } from "../version.ts";

/** The program's own version, for people and programs that ask for more also how it was installed; or the engine's of one machine. */
export async function run({ args }: Invocation, context: CliContext): Promise<void> {
  if (args.length > 0) {
    const { printEngineVersion } = await import("../engine-version.ts");
    await printEngineVersion(args, context);
    return;
  }
  const { ownProgram, streams, compat, globals, program } = context;
  const isJson = globals.output === "json";
  if (!isJson) context.print(versionLine(program.base));
  // What reads 0.16.2's one line gets one line.
  if (!isJson && (compat || !streams.stdout.isTerminal)) return;
  const { installationOf, installationText } = await import("../installation.ts");
  const installation = ownProgram && (await installationOf(ownProgram));
  if (isJson) context.printJson({ version, commit, installation });
  else if (installation !== undefined) context.print(installationText(installation));
}
