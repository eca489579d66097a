/** How often a `create` waits for the machine to answer. */
import * as path from "node:path";
import { createMachine, createContext, driverOptions, removeMachine, type MachineContext } from "../../src/index.ts";
import { defaultValue } from "../../src/driver-kit/create-flag.ts";
import { sharedCreateFlags } from "../../src/cli/create/shared-flags.ts";
import { driverModule } from "../../src/drivers/generic/index.ts";
import type { LabHost } from "../lab/lab.ts";

/** The commands that a `create` on the host runs there over SSH. The machine is removed again. */
export async function countRoundTrips(folder: string, host: LabHost): Promise<number> {
  let commands = 0;
  const context = createContext({ storagePath: path.join(folder, "counted") });
  const counting: MachineContext = {
    ...context,
    openSsh: async (target, report) => {
      const ssh = await context.openSsh(target, report);
      const close = ssh.close.bind(ssh);
      let counted = false;
      ssh.close = async () => {
        if (!counted) commands += ssh.roundTrips;
        counted = true;
        await close();
      };
      ssh[Symbol.asyncDispose] = async () => await ssh.close();
      return ssh;
    },
  };
  const defaults = Object.fromEntries(
    [...sharedCreateFlags, ...driverModule.flags].map((flag) => [flag.name, defaultValue(flag)]),
  );
  const given = {
    "generic-ip-address": host.address,
    "generic-ssh-key": host.privateKeyPath,
    "generic-ssh-user": host.sshUser,
    "generic-ssh-port": host.sshPort,
  };
  const options = driverOptions({ ...defaults, ...given }, new Set(Object.keys(given)));
  await createMachine(counting, { name: "counted", driverName: "generic", options }, AbortSignal.timeout(120_000));
  await removeMachine(context, { name: "counted", force: false, restore: false }, AbortSignal.timeout(30_000));
  return commands;
}
