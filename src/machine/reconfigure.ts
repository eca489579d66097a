/** Other settings for a machine that exists, by the create flags that can be changed later: which those are, and what it takes. */
import type { DriverOptions } from "../driver-kit/create-flag.ts";
import type { EngineOptions, HostExtra, HostRecord } from "../store/host-record.ts";
import { isProvisioned } from "./host/host.ts";
import { newRecord } from "./host/new-record.ts";
import { openHost } from "./host/open-host.ts";
import { workOnHost } from "./host/work-on-host.ts";
import { requireCreated } from "./interruption/interrupted.ts";
import { lockMachine } from "./interruption/machine-lock.ts";
import type { MachineContext } from "./machine-context.ts";
import { provisionMachine } from "./provision-machine.ts";

/**
 * What has to be done for a setting to count. `record`: nothing. `later`: the next upgrade takes it up. `provision`: the
 * engine is configured anew, and restarted. `certificate`: it gets another certificate too. `upgrade`: it becomes another version.
 */
export type Effort = "record" | "later" | "provision" | "certificate" | "upgrade";

interface Changeable {
  readonly effort: Effort;
  /** Takes the setting from a record that the flags were given to when it was made. */
  take(record: HostRecord, fresh: HostRecord): void;
}

const ofExtra = (effort: Effort, key: keyof HostExtra & string): Changeable => ({
  effort,
  take: ({ extra }, fresh) => {
    if (fresh.extra[key] === undefined) delete extra[key];
    else extra[key] = fresh.extra[key];
  },
});

const ofEngine = (effort: Effort, key: keyof EngineOptions): Changeable => ({
  effort,
  take: ({ hostOptions }, fresh) =>
    void Object.assign(hostOptions.EngineOptions, { [key]: fresh.hostOptions.EngineOptions[key] }),
});

/** By the create flag. What is not here is what a machine is made with, and remains. */
export const changeableFlags: Readonly<Record<string, Changeable>> = {
  "engine-version": ofExtra("upgrade", "EngineVersion"),
  "engine-opt": ofEngine("provision", "ArbitraryFlags"),
  "engine-env": ofEngine("provision", "Env"),
  "engine-label": ofEngine("provision", "Labels"),
  "engine-insecure-registry": ofEngine("provision", "InsecureRegistry"),
  "engine-registry-mirror": ofEngine("provision", "RegistryMirror"),
  "engine-firewall": ofExtra("provision", "EngineFirewall"),
  "engine-share-ca": ofExtra("provision", "EngineShareCa"),
  "engine-allow-removal": ofExtra("record", "EngineAllowRemoval"),
  "engine-source": ofExtra("later", "EngineSource"),
  "engine-package-mirror": ofExtra("later", "EnginePackageMirror"),
  "engine-package-key": ofExtra("later", "EnginePackageKeys"),
  // 0.16.2's install URL chooses the script.
  "engine-install-url": {
    effort: "later",
    take: (record, fresh) => {
      ofEngine("later", "InstallURL").take(record, fresh);
      ofExtra("later", "EngineSource").take(record, fresh);
    },
  },
  "ssh-host-key": ofExtra("record", "SshHostKey"),
  "tls-san": {
    effort: "certificate",
    take: ({ hostOptions }, fresh) =>
      void (hostOptions.AuthOptions.ServerCertSANs = fresh.hostOptions.AuthOptions.ServerCertSANs),
  },
};

export interface Reconfiguration {
  readonly name: string;
  /** As `create` would be given them. */
  readonly options: DriverOptions;
  /** Those that count: keys of {@link changeableFlags}. */
  readonly flags: readonly string[];
}

/**
 * Takes the settings into the record, and provisions where one needs that. Of a version nothing is done but to record it:
 * `upgradeMachine` installs it. Repeated after a failure, it goes on. Throws `machine-interrupted` for a machine whose create
 * never ended, and what provisioning throws.
 */
export async function reconfigureMachine(context: MachineContext, change: Reconfiguration, signal: AbortSignal): Promise<void> {
  const { name, options, flags } = change;
  await using lock = await lockMachine(context, name, "apply", signal);
  await using host = await openHost(context, name);
  await requireCreated(host);
  const fresh = newRecord(context, name, host.record.driverName, options);
  for (const flag of flags) changeableFlags[flag]?.take(host.record, fresh);
  await host.concealEngineSecrets();
  await host.save();
  if (!isProvisioned(host)) return;
  const efforts = flags.map((flag) => changeableFlags[flag]?.effort);
  if (!efforts.some((effort) => effort === "provision" || effort === "certificate")) return;
  const work = { command: "provision", step: "provision" } as const;
  await workOnHost(context, host, work, lock.signal, async (ssh) => {
    // One with a name that is not wanted any more would serve all the same.
    await provisionMachine(context, host, ssh, lock.signal, { certificate: efforts.includes("certificate") ? "new" : "kept" });
  });
}
