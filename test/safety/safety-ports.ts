/** The real store and clock, the fake cloud's driver, and a hook at every instant that matters. */
import * as path from "node:path";
import { Redactor } from "../../src/log/redact.ts";
import { reportNothing } from "../../src/log/event.ts";
import { defaultTimeouts, type MachinePorts } from "../../src/machine/ports.ts";
import { FileStore } from "../../src/store/file-store.ts";
import { systemClock } from "../../src/system/clock.ts";
import { currentPlatform } from "../../src/system/host-platform.ts";
import { SystemProcessRunner } from "../../src/system/process.ts";
import { driverModule } from "./fake-cloud/driver.ts";

/** @param instant called before a journal line, before and after a record is saved, and before a folder goes. */
export function safetyPorts(storePath: string, instant: () => void = () => {}): MachinePorts {
  const platform = currentPlatform();
  const store = new FileStore(storePath, systemClock);
  const { create, save, remove } = store;
  store.create = async (record, companions) => {
    instant();
    await create.call(store, record, companions);
    instant();
  };
  store.save = async (record) => {
    instant();
    await save.call(store, record);
    instant();
  };
  store.remove = async (name) => {
    instant();
    await remove.call(store, name);
    instant();
  };
  return {
    store,
    platform,
    processes: new SystemProcessRunner(platform),
    clock: {
      ...systemClock,
      // The journal asks for the time right before it writes a line.
      now: () => {
        instant();
        return systemClock.now();
      },
    },
    redactor: new Redactor(),
    certificates: {
      certsDir: store.certsDir,
      caCertPath: path.join(store.certsDir, "ca.pem"),
      caKeyPath: path.join(store.certsDir, "ca-key.pem"),
      clientCertPath: path.join(store.certsDir, "cert.pem"),
      clientKeyPath: path.join(store.certsDir, "key.pem"),
    },
    timeouts: defaultTimeouts,
    loadDriver: async () => driverModule,
    openSsh: async () => await Promise.reject(new Error("no SSH here")),
    reportFor: () => reportNothing,
    askSudoPassword: async () => undefined,
  };
}
