/**
 * Does one thing to a store and kills itself with SIGKILL before its Nth file operation: `ROOT THING N`. Prints "done"
 * when the thing took fewer operations.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { FileStore } from "../../src/store/file-store.ts";
import { newRecord } from "../../src/store/testing/records.ts";
import { systemClock } from "../../src/system/clock.ts";

const [root = "", thing = "", count = "0"] = process.argv.slice(2);
const store = new FileStore(root, systemClock);

/** Seen from outside, each is one step. All hold the lock that the commands hold. */
const things: Record<string, () => Promise<void>> = {
  create: async () => await store.create(newRecord("web", { driverConfigText: '{"Step":"created"}' })),
  save: async () => await store.save(newRecord("web", { driverConfigText: '{"Step":"saved"}' })),
  migrate: async () => await store.save({ ...(await store.load("old")), driverName: "generic" }),
  remove: async () => await store.remove("web"),
  certificates: async () => {
    const { ensureAuthority } = await import("../../src/tls/authority.ts");
    const { authorityPaths } = await import("../../src/tls/authority-files.ts");
    await ensureAuthority({
      paths: authorityPaths(store.certsDir),
      userName: "tester",
      keyType: "ecdsa",
      clock: systemClock,
      report: () => {},
      lock: async () => await store.lockCertificates({ purpose: thing, waitMs: 0 }),
    });
  },
};

/** Every operation that changes a file system, or opens a file to change it, counts down. */
function killBefore(operation: number): void {
  let left = operation;
  for (const name of ["open", "rename", "rm", "rmdir", "mkdir"] as const) {
    const original = fs.promises[name] as (...args: unknown[]) => unknown;
    const counted = (...args: unknown[]): unknown => {
      left -= 1;
      if (left === 0) process.kill(process.pid, "SIGKILL");
      return original.apply(fs.promises, args);
    };
    Object.assign(fs.promises, { [name]: counted });
  }
  syncBuiltinESMExports();
}

killBefore(Number(count));
const lock = await store.lockMachine(thing === "migrate" ? "old" : "web", { purpose: thing, waitMs: 0 });
await things[thing]?.();
await lock.release();
process.stdout.write("done\n");
