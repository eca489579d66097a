import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { commit, version, versionLine } from "../version.ts";

/** The program's own version, or the engine's of one machine. */
export async function run({ args }: Invocation, context: CliContext): Promise<void> {
  if (args.length > 0) {
    const { printEngineVersion } = await import("../engine-version.ts");
    await printEngineVersion(args, context);
    return;
  }
  if (context.globals.output === "json") context.printJson({ version, commit });
  else context.print(versionLine(context.program.base));
}
