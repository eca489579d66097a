/** `settings check`: reads all of config.yml as `create` would. */
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { checkSettingsFile, requireSettingsFile } from "../settings/check-file.ts";

export async function run(_invocation: Invocation, context: CliContext): Promise<void> {
  const { computer, globals } = context;
  const settings = await checkSettingsFile(computer);
  const file = requireSettingsFile(computer);
  const profiles = [...(settings?.profiles.keys() ?? [])];
  if (globals.output === "json") return context.printJson({ file, exists: settings !== undefined, profiles });
  if (settings === undefined) return context.print(`There are no settings: ${file} does not exist.`);
  const has = profiles.length === 0 ? "it has no profiles" : `its profiles are ${profiles.join(", ")}`;
  context.print(`${file} is good; ${has}.`);
}
