/** The sudo password of a machine's user, where its sudo asks for one. */
import { readFileIfExists } from "../../system/files.ts";
import type { MachineContext } from "../machine-context.ts";
import type { Host } from "./host.ts";

/** From the recorded file, else asked for; undefined when nobody can be asked. Redacted from then on. */
export async function sudoPasswordOf(context: MachineContext, host: Host): Promise<string | undefined> {
  const recorded = await recordedSudoPassword(context, host);
  if (recorded !== undefined) return recorded;
  const password = await context.askSudoPassword(host.name);
  context.redactor.add(password);
  return password;
}

/** From the recorded file alone: nobody is asked. Redacted from then on. */
export async function recordedSudoPassword(context: MachineContext, { driver }: Host): Promise<string | undefined> {
  const file = driver.sudoPasswordFile;
  const password = file === undefined ? undefined : (await readFileIfExists(file))?.toString("utf8").replace(/\r?\n$/u, "");
  context.redactor.add(password);
  return password;
}
