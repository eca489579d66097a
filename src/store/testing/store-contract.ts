/** What every store must do: the same cases for `FileStore` and `MemoryStore`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isMachineError } from "../../errors/machine-error.ts";
import type { Store } from "../store.ts";
import { fixtureText, goldenText, newRecord } from "./records.ts";

export interface StoreUnderTest {
  readonly store: Store;
  /** Puts a text where the machine's config.json is. */
  readonly plant: (machine: string, text: string) => Promise<void>;
  /** The text of config.json, or of config.json.bak. */
  readonly stored: (machine: string, file?: "config.json" | "config.json.bak") => Promise<string | undefined>;
}

/** `open` gives a new, empty store for each case. */
export function describeStoreContract(name: string, open: () => Promise<StoreUnderTest>): void {
  const cases: Record<string, (subject: StoreUnderTest) => Promise<void>> = {
    "a store that was never used has no machines": async ({ store }) => {
      assert.deepEqual(await store.list(), []);
      assert.equal(await store.has("web"), false);
    },

    "a machine that is not there is not found, in 0.16.2's words": async ({ store }) => {
      const expected = {
        code: "machine-not-found",
        message:
          'Docker machine "web" does not exist. Use "docker-machine ls" to list machines. Use "docker-machine create" to add a new one.',
      };
      await assert.rejects(store.load("web"), expected);
      await assert.rejects(store.loadText("web"), expected);
    },

    "what was created is there, as it was given": async ({ store }) => {
      const record = newRecord("web", { driverName: "generic", extra: { EngineSource: "distro" } });
      await store.create(record);
      assert.deepEqual(await store.list(), ["web"]);
      assert.equal(await store.has("web"), true);
      assert.deepEqual(await store.load("web"), record);
    },

    "a name is taken once, also when it differs in case": async ({ store }) => {
      await store.create(newRecord("web"));
      await assert.rejects(store.create(newRecord("web")), {
        code: "machine-exists",
        message: 'Docker machine "web" already exists',
      });
      await assert.rejects(store.create(newRecord("Web")), {
        code: "machine-exists",
        message: 'Docker machine "web" already exists',
      });
    },

    "a machine can have another name, which nobody has": async ({ store }) => {
      await store.create(newRecord("web"));
      await store.create(newRecord("db"));
      await assert.rejects(store.rename("web", "db"), { code: "machine-exists" });
      await assert.rejects(store.rename("web", "DB"), { code: "machine-exists" });
      await assert.rejects(store.rename("nobody", "new"), { code: "machine-not-found" });
      await assert.rejects(store.rename("web", "../new"), { code: "machine-name-invalid" });
      await store.rename("web", "new");
      await store.rename("db", "DB");
      assert.deepEqual((await store.list()).toSorted(), ["DB", "new"]);
      assert.equal((await store.load("new")).name, "new");
      await assert.rejects(store.load("web"), { code: "machine-not-found" });
    },

    "a fleet has one lock, and others theirs": async ({ store }) => {
      await using _held = await store.lockFleet("shop", { purpose: "apply", waitMs: 0 });
      await assert.rejects(store.lockFleet("Shop", { purpose: "apply", waitMs: 0 }), {
        code: "machine-busy",
        message: /^the fleet "Shop" is in use by docker-machine apply/u,
      });
      await using _other = await store.lockFleet("depot", { purpose: "apply", waitMs: 0 });
      await using _machine = await store.lockMachine("shop", { purpose: "create", waitMs: 0 });
    },

    "of many creates of one name at once exactly one wins": async ({ store }) => {
      const results = await Promise.allSettled(
        Array.from({ length: 8 }, (_, index) => store.create(newRecord("web", { driverName: `d${index}` }))),
      );
      const won = results.filter((result) => result.status === "fulfilled");
      assert.equal(won.length, 1);
      const { driverName } = await store.load("web");
      assert.equal(results[Number(driverName.slice(1))]?.status, "fulfilled");
    },

    "a change is saved, and what the record does not hold is kept": async ({ store, plant, stored }) => {
      await plant("alpha", goldenText("alpha").replace('"DriverName"', '"Future": 18446744073709551615,\n    "DriverName"'));
      const record = await store.load("alpha");
      await store.save({ ...record, driverName: "generic" });
      assert.equal((await store.load("alpha")).driverName, "generic");
      assert.match((await stored("alpha")) ?? "", /"Future": 18446744073709551615,/u);
    },

    "the text is given as it stands": async ({ store, plant }) => {
      const text = `  ${goldenText("alpha")}\n`;
      await plant("alpha", text);
      assert.equal(await store.loadText("alpha"), text);
    },

    "an old version is migrated in memory, and on disk when it is saved, with a backup": async ({ store, plant, stored }) => {
      const old = fixtureText("version-1");
      await plant("dev", old);
      const record = await store.load("dev");
      const text = await store.loadText("dev");
      assert.equal(await stored("dev"), old);
      assert.equal(await stored("dev", "config.json.bak"), undefined);
      await store.save(record);
      assert.equal(await stored("dev"), text);
      assert.equal(await stored("dev", "config.json.bak"), old);
    },

    "a broken record hides no other and is not overwritten": async ({ store, plant, stored }) => {
      await store.create(newRecord("good"));
      await plant("bad", '{"ConfigVersion": 3, "Dri');
      assert.deepEqual((await store.list()).toSorted(), ["bad", "good"]);
      await assert.rejects(store.load("bad"), { code: "record-unreadable" });
      await assert.rejects(store.save(newRecord("bad")), { code: "record-unreadable" });
      assert.equal(await stored("bad"), '{"ConfigVersion": 3, "Dri');
      assert.equal((await store.load("good")).name, "good");
    },

    "a record from the future is not touched": async ({ store, plant, stored }) => {
      await plant("new", '{"ConfigVersion": 4}');
      await assert.rejects(store.load("new"), { code: "record-from-future" });
      await assert.rejects(store.save(newRecord("new")), { code: "record-from-future" });
      assert.equal(await stored("new"), '{"ConfigVersion": 4}');
    },

    "the facts of a record are those that load gives, however it is spelled": async ({ store, plant }) => {
      const golden = goldenText("master");
      const spelled = {
        plain: golden,
        lowercase: golden.replace('"DriverName"', '"drivername"').replace('"Labels"', '"labels"'),
        short: golden.replace(/ *"InstallURL": "[^"]*"/u, ' "Unknown": 1'),
        old: fixtureText("version-1"),
      };
      for (const [machine, text] of Object.entries(spelled)) await plant(machine, text);
      await plant("cut", golden.slice(0, 100));
      await plant("mistyped", golden.replace('"IsSwarm": true', '"IsSwarm": "yes"'));
      const looks = new Map((await store.facts((facts) => facts)).map((look) => [look.name, look]));
      assert.deepEqual([...looks.keys()].toSorted(), ["cut", "lowercase", "mistyped", "old", "plain", "short"]);
      for (const machine of Object.keys(spelled)) {
        const { driverName, driverConfigText, hostOptions, extra } = await store.load(machine);
        assert.deepEqual(looks.get(machine)?.value, {
          name: machine,
          driverName,
          driver: JSON.parse(driverConfigText) as unknown,
          engine: hostOptions.EngineOptions,
          swarm: hostOptions.SwarmOptions,
          extra,
        });
      }
      for (const machine of ["cut", "mistyped"])
        await assert.rejects(store.load(machine), (error: Error) => {
          const found = looks.get(machine)?.error;
          return isMachineError(found, "record-unreadable") && found.message === error.message;
        });
    },

    "what was removed is gone, and removing it again is no error": async ({ store }) => {
      await store.create(newRecord("web"));
      await store.remove("web");
      await store.remove("web");
      assert.deepEqual(await store.list(), []);
      await store.create(newRecord("web"));
    },

    "a name that is no folder's is never one": async ({ store }) => {
      for (const name of ["", ".", "..", ".hidden", "a/b", "../web", "a\\b", "a\0b"]) {
        assert.equal(await store.has(name), false);
        await assert.rejects(store.load(name), { code: "machine-not-found" });
        await assert.rejects(store.create(newRecord(name)), { code: "machine-name-invalid" });
        await assert.rejects(store.save(newRecord(name)), { code: "machine-name-invalid" });
        await assert.rejects(store.remove(name), { code: "machine-name-invalid" });
        await assert.rejects(store.lockMachine(name, { purpose: "test", waitMs: 0 }), { code: "machine-not-found" });
        assert.throws(() => store.machineDir(name), { code: "machine-name-invalid" });
      }
    },

    "a machine's lock is one command's, and names its holder": async ({ store }) => {
      const lock = await store.lockMachine("web", { purpose: "create", waitMs: 0 });
      const waitedFor: string[] = [];
      const holder = "docker-machine create (of this very command)";
      await assert.rejects(store.lockMachine("WEB", { purpose: "rm", waitMs: 30, onWait: (who) => void waitedFor.push(who) }), {
        code: "machine-busy",
        message: `machine "WEB" is in use by ${holder}`,
      });
      assert.deepEqual(waitedFor, [holder]);
      await using _other = await store.lockMachine("db", { purpose: "rm", waitMs: 0 });
      await using _certificates = await store.lockCertificates({ purpose: "create", waitMs: 0 });
      await lock.release();
      await lock.release();
      await using _again = await store.lockMachine("web", { purpose: "rm", waitMs: 0 });
    },

    "whether a machine is locked can be asked, and changes nothing": async ({ store }) => {
      assert.equal(await store.isLocked("web"), false);
      const lock = await store.lockMachine("web", { purpose: "create", waitMs: 0 });
      assert.equal(lock.lost.aborted, false);
      assert.deepEqual(
        [await store.isLocked("web"), await store.isLocked("WEB"), await store.isLocked("db")],
        [true, true, false],
      );
      await assert.rejects(store.lockMachine("web", { purpose: "rm", waitMs: 0 }), { code: "machine-busy" });
      await lock.release();
      assert.equal(await store.isLocked("web"), false);
    },

    "whoever waits for a lock gets it when it is given back": async ({ store }) => {
      const lock = await store.lockCertificates({ purpose: "create", waitMs: 0 });
      const next = store.lockCertificates({ purpose: "regenerate-certs", waitMs: 10_000, onWait: () => void lock.release() });
      await using _lock = await next;
    },

    "waiting for a lock ends with the signal": async ({ store }) => {
      await using _lock = await store.lockMachine("web", { purpose: "create", waitMs: 0 });
      const reason = new Error("stop");
      const controller = new AbortController();
      const request = { purpose: "rm", waitMs: 10_000, signal: controller.signal, onWait: () => controller.abort(reason) };
      await assert.rejects(store.lockMachine("web", request), reason);
    },
  };
  for (const [title, run] of Object.entries(cases)) test(`${name}: ${title}`, async () => await run(await open()));
}
