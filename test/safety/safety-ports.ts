/** The real store, clock and processes, and the fake cloud's driver. */
import { Redactor } from "../../src/log/redact.ts";
import { reportNothing } from "../../src/log/event.ts";
import type { SshExecutor } from "../../src/ssh/executor.ts";
import type { MachinePorts } from "../../src/machine/ports.ts";
import { SecretSource } from "../../src/machine/secrets/secret-source.ts";
import { defaultTimeouts } from "../../src/machine/timeouts.ts";
import { FileStore } from "../../src/store/file-store.ts";
import { systemClock } from "../../src/system/clock.ts";
import { currentPlatform, type HostPlatform } from "../../src/system/host-platform.ts";
import { SystemProcessRunner } from "../../src/system/process.ts";
import { authorityPaths } from "../../src/tls/authority-files.ts";
import { driverModule } from "./fake-cloud/driver.ts";

/** The fake cloud's instances let everyone in and do nothing. */
const silentSsh: SshExecutor = {
  roundTrips: 0,
  connect: async () => {},
  run: async () => await Promise.reject(new Error("nothing runs there")),
  session: async () => await Promise.reject(new Error("nothing runs there")),
  close: async () => {},
  [Symbol.asyncDispose]: async () => {},
};

export function safetyPorts(
  storePath: string,
  change: Partial<MachinePorts> & { readonly env?: HostPlatform["env"] } = {},
): MachinePorts {
  const platform = { ...currentPlatform(), ...(change.env === undefined ? {} : { env: change.env }) };
  const processes = new SystemProcessRunner(platform);
  const store = new FileStore(storePath, change.clock ?? systemClock);
  return {
    store,
    platform,
    processes,
    clock: systemClock,
    redactor: new Redactor(),
    certificates: authorityPaths(store.certsDir),
    timeouts: defaultTimeouts,
    secrets: new SecretSource({ platform, processes, timeoutMs: defaultTimeouts.secretMs }),
    loadDriver: async (name) => (name === "none" ? (await import("../../src/drivers/none/index.ts")).driverModule : driverModule),
    openSsh: async () => silentSsh,
    reportFor: () => reportNothing,
    askSudoPassword: async () => undefined,
    ...change,
  };
}
