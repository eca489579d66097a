/** `settings path`: where config.yml is, whether there is one or not. */
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { requireSettingsFile } from "../settings/check-file.ts";

export async function run(_invocation: Invocation, context: CliContext): Promise<void> {
  const file = requireSettingsFile(context.computer);
  if (context.globals.output === "json") context.printJson({ file });
  else context.print(file);
}
