/** Docker contexts when they are asked for: made, and made the current one. */
import { openHost } from "../host/open-host.ts";
import { lockMachine } from "../interruption/machine-lock.ts";
import type { MachineContext } from "../machine-context.ts";
import { contextNameOf, makeContext } from "./contexts.ts";
import { dockerConfigFolder, setCurrentContext } from "./docker-config.ts";

export interface MadeContext {
  readonly name: string;
  readonly context: string;
}

/** Makes the machine's context, or puts it right. Throws `context-foreign` where somebody else has one of that name. */
export async function createContext(context: MachineContext, name: string, signal: AbortSignal): Promise<MadeContext> {
  await using _lock = await lockMachine(context, name, "context create", signal);
  await using host = await openHost(context, name);
  await makeContext(context, host);
  return { name, context: contextNameOf(name) };
}

/** Makes it the current one, too. Says in the result what beats it. */
export async function useContext(
  context: MachineContext,
  name: string,
  signal: AbortSignal,
): Promise<MadeContext & { readonly beatenBy: string | undefined }> {
  const made = await createContext(context, name, signal);
  await setCurrentContext(dockerConfigFolder(context.computer), made.context);
  return { ...made, beatenBy: context.computer.env["DOCKER_HOST"] || undefined };
}
