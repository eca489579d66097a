/**
 * A process at work on a store, for tests with many of them. Prints "ready", then does one of: `write NAME` saves the
 * machine again and again until it is killed; `read NAME TIMES` loads it and fails with the first error; `create NAME`
 * prints "won" or the code of the error; `authority KEYTYPE` sees to the certificates; `authorities KEYTYPE` does so in one
 * new store after the other, ROOT/0, ROOT/1, …, until it is killed.
 */
import * as path from "node:path";
import { isMachineError } from "../../src/errors/machine-error.ts";
import { systemClock } from "../../src/system/clock.ts";
import { authorityPaths } from "../../src/tls/authority-files.ts";
import { ensureAuthority } from "../../src/tls/authority.ts";
import type { KeyType } from "../../src/tls/key.ts";
import { FileStore } from "../../src/store/file-store.ts";
import { newRecord } from "../../src/store/testing/records.ts";

const [root = "", verb = "", subject = "", times = ""] = process.argv.slice(2);
const request = { purpose: verb, waitMs: 120_000 };

const verbs: Record<string, (store: FileStore) => Promise<void>> = {
  write: async (store) => {
    for (let count = 1; ; count += 1) {
      await using _lock = await store.lockMachine(subject, request);
      const record = await store.load(subject);
      await store.save({ ...record, driverConfigText: JSON.stringify({ Count: count, Filler: "x".repeat(count % 5000) }) });
    }
  },
  read: async (store) => {
    for (let count = 0; count < Number(times); count += 1) {
      if ((await store.load(subject)).name !== subject || (await store.list()).length === 0) throw new Error("it was not there");
    }
  },
  create: async (store) => {
    const outcome = await store.create(newRecord(subject)).then(
      () => "won",
      (error: unknown) => (isMachineError(error) ? error.code : String(error)),
    );
    process.stdout.write(`${outcome}\n`);
  },
  authority: async (store) => await ensureIn(store),
  authorities: async () => {
    for (let count = 0; ; count += 1) await ensureIn(new FileStore(path.join(root, String(count)), systemClock));
  },
};

async function ensureIn(store: FileStore): Promise<void> {
  await ensureAuthority({
    paths: authorityPaths(store.certsDir),
    userName: "tester",
    keyType: subject as KeyType,
    clock: systemClock,
    report: (event) => void process.stdout.write(`${event.type}\n`),
    lock: async () => await store.lockCertificates(request),
  });
}

process.stdout.write("ready\n");
await verbs[verb]?.(new FileStore(root, systemClock));
