/** What a driver does not know of SSH to its machine. Loaded where SSH is: who asks for an address needs none of it. */
import * as path from "node:path";
import type { SshTerms } from "../../driver-kit/ssh-target.ts";
import type { OthersPins } from "../../ssh/executor.ts";
import { driverNameOf } from "../../store/host-record.ts";
import { boxIn } from "./box.ts";
import type { Host } from "./host.ts";
import type { MachineContext } from "../machine-context.ts";

/** OpenSSH's own defaults (ssh_config(5), UserKnownHostsFile and GlobalKnownHostsFile). */
const knownHostsFiles = [
  "~/.ssh/known_hosts",
  "~/.ssh/known_hosts2",
  "/etc/ssh/ssh_known_hosts",
  "/etc/ssh/ssh_known_hosts2",
] as const;

/** Which host keys of a machine are believed, and for how long it is tried. */
export async function sshTermsOf(context: MachineContext, { record, module, driver, dir }: Host): Promise<SshTerms> {
  const { adopted, injectsHostKeys } = module.capabilities;
  const hasKeys = injectsHostKeys && (await driver.hostKeys?.()) !== "none";
  const home = context.computer.homeDir;
  const { store } = context;
  const lookAtOthers = async (): Promise<OthersPins[]> => {
    const box = boxIn(JSON.parse(await driver.configText()) as object);
    const looks = await store.facts((facts) => driverNameOf(facts) === module.name && boxIn(facts.driver) === box);
    return looks
      .filter(({ name }) => name !== record.name)
      .map(({ name, value }) => ({
        machine: name,
        knownHostsFile: path.join(store.machineDir(name), "known_hosts"),
        isSameBox: box !== undefined && value === true,
      }));
  };
  let others: Promise<OthersPins[]> | undefined;
  // A first contact asks more than once, and there may be thousands.
  const othersPins = async (): Promise<OthersPins[]> => await (others ??= lookAtOthers());
  return {
    connectTimeoutMs: context.timeouts.sshConnectMs,
    hostKeys: {
      knownHostsFile: path.join(dir, "known_hosts"),
      alias: record.name,
      expectedFingerprint: record.extra.SshHostKey,
      userKnownHostsFiles: adopted && home !== undefined ? knownHostsFiles.map((file) => file.replace("~", home)) : undefined,
      othersPins: adopted ? othersPins : undefined,
      unknown: hasKeys ? "refuse" : "trust-first-use",
    },
  };
}
