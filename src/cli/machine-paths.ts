/** `[[user@]machine:]path` arguments of `scp` and `mount`, resolved to where ssh goes. */
import { lstat } from "node:fs/promises";
import * as path from "node:path";
import { isMachineError, MachineError } from "../errors/machine-error.ts";
import type { SshTarget } from "../ssh/executor.ts";
import type { CopyArgument } from "../ssh/scp.ts";
import type { CopyEndpoint } from "../ssh/scp-request.ts";
import type { Host } from "../machine/host/host.ts";
import { openHost } from "../machine/host/open-host.ts";
import type { MachineContext } from "../machine/machine-context.ts";

/** The machine's SSH target, with the user that was typed in place of its own. */
export async function targetFor(host: Host, user: string | undefined): Promise<SshTarget> {
  const target = await host.sshTarget();
  return user === undefined ? target : { ...target, userName: user };
}

/**
 * A file with a colon in its name is taken for what it is where no machine is called so. Throws `machine-not-found`, and
 * what first contact throws: programs of the OpenSSH family need the key pinned before.
 */
export async function endpointFor(machineContext: MachineContext, argument: CopyArgument, typed: string): Promise<CopyEndpoint> {
  if (argument.machine === undefined) return { target: undefined, path: argument.path };
  if (!(await machineContext.store.has(argument.machine)) && (await isHere(machineContext, typed))) {
    return { target: undefined, path: typed };
  }
  await using host = await openHost(machineContext, argument.machine).catch((error: unknown) => {
    throw explained(error);
  });
  return { target: await targetFor(host, argument.user), path: argument.path };
}

async function isHere({ computer }: MachineContext, file: string): Promise<boolean> {
  return await lstat(path.resolve(computer.cwd, file)).then(
    () => true,
    () => false,
  );
}

/** 0.16.2 says it twice. */
function explained(error: unknown): unknown {
  if (!isMachineError(error)) return error;
  const message = `Error loading host: Error loading host: ${error.message}`;
  return new MachineError(error.code, message, { cause: error, hint: error.hint });
}
