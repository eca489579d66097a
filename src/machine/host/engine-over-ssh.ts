/** Questions to an engine that is reached over SSH alone. Loaded where a machine has such an engine. */
import type { EngineVersion } from "../../engine/engine-client.ts";
import { socketEngineVersion } from "../../engine/socket-engine.ts";
import { isMachineError } from "../../errors/machine-error.ts";
import type { SshExecutor } from "../../ssh/executor.ts";
import { poll } from "../../system/waiting.ts";
import type { MachineContext } from "../machine-context.ts";
import { labelOf, openEngineSocket, withEngineSocket } from "./engine-socket.ts";
import type { Host } from "./host.ts";

const pollMs = 500;

/** Throws what connecting throws, and as an engine that cannot be reached. */
export async function versionOverSsh(context: MachineContext, host: Host, signal: AbortSignal): Promise<EngineVersion> {
  await using socket = await openEngineSocket(context, host, signal);
  return await versionAt(context, host, socket.path, signal);
}

/** Polls until the engine answers, over a connection that is there or one of its own. Throws as {@link versionOverSsh}. */
export async function waitForEngineOverSsh(
  context: MachineContext,
  host: Host,
  ssh: SshExecutor | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { clock, timeouts } = context;
  const ask = async (note: (seen: unknown) => void): Promise<true | undefined> => {
    try {
      if (ssh === undefined) await versionOverSsh(context, host, signal);
      else await withEngineSocket(context, host, ssh, signal, async (path) => await versionAt(context, host, path, signal));
      return true;
    } catch (error) {
      signal.throwIfAborted();
      // What waiting does not mend: rights and programs.
      if (isMachineError(error, "sudo-required") || isMachineError(error, "program-missing")) throw error;
      note(error);
      return undefined;
    }
  };
  await poll(
    { ms: timeouts.engineMs, clock, signal },
    pollMs,
    async ({ note }) => await ask(note),
    (last) => last,
  );
}

async function versionAt(context: MachineContext, host: Host, socketPath: string, signal: AbortSignal): Promise<EngineVersion> {
  const timeoutMs = context.timeouts.engineRequestMs;
  return await socketEngineVersion({ socketPath, label: labelOf(host), timeoutMs, signal });
}
