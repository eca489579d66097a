/** A create that failed or was cut off, and another one that asks for something else. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { driverOptions } from "../../src/driver-kit/create-flag.ts";
import { isMachineError } from "../../src/errors/machine-error.ts";
import { createMachine } from "../../src/machine/create.ts";
import { removeMachine } from "../../src/machine/remove.ts";
import type { MachineContext } from "../../src/machine/machine-context.ts";
import { FakeProvider } from "../../src/testing/fake-provider.ts";
import { safetyContext } from "./safety-context.ts";

const signal = AbortSignal.timeout(60_000);

interface Site extends AsyncDisposable {
  readonly cloud: FakeProvider;
  readonly context: MachineContext;
  create(size: string): Promise<void>;
  /** As a command leaves it that was killed: which steps it began and ended. */
  leaveJournal(asked: string, steps: readonly string[]): Promise<void>;
  size(): Promise<string>;
}

async function openSite(): Promise<Site> {
  const folder = await mkdtemp(path.join(tmpdir(), "docker-machine-corrected-"));
  const cloud = await FakeProvider.start();
  const context = safetyContext(folder);
  const create = async (size: string): Promise<void> => {
    const flags = { "fakecloud-endpoint": cloud.url, "fakecloud-size": size, "tls-key-type": "ecdsa" };
    await createMachine(context, { name: "web", driverName: "fakecloud", options: driverOptions(flags) }, signal);
  };
  const leaveJournal = async (asked: string, steps: readonly string[]): Promise<void> => {
    const { pid } = spawnSync(process.execPath, ["--version"]);
    const { CreateId: createId = "" } = (await context.store.load("web")).extra;
    const lines = steps.map((text) => {
      const [step, state] = text.split(" ");
      const entry = { command: "create", step, state, at: new Date().toISOString(), createId, process: { pid } };
      return JSON.stringify(step === "record" ? { ...entry, asked: { "fakecloud-size": asked } } : entry);
    });
    await writeFile(path.join(context.store.machineDir("web"), "journal.ndjson"), lines.join("\n"));
  };
  const size = async (): Promise<string> =>
    (JSON.parse((await context.store.load("web")).driverConfigText) as { Size: string }).Size;
  return {
    cloud,
    context,
    create,
    leaveJournal,
    size,
    [Symbol.asyncDispose]: async () => {
      await cloud[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

test("where nothing was made, what is asked for now counts", async () => {
  await using site = await openSite();
  await assert.rejects(site.create("too-big"), (error) => isMachineError(error, "provider-quota"));
  await assert.rejects(site.create("too-big"), (error) => isMachineError(error, "provider-quota"));
  await site.create("small");
  assert.equal(await site.size(), "small");
  assert.equal(site.cloud.resources.all.size, 1);
});

test("a create that was killed before its request is begun anew", async () => {
  await using site = await openSite();
  await assert.rejects(site.create("too-big"));
  await site.leaveJournal("too-big", ["record begun"]);
  await site.create("small");
  assert.deepEqual([await site.size(), site.cloud.resources.all.size], ["small", 1]);
});

test("what stands cannot become another, and is named with the way out; as it was asked for it goes on", async () => {
  for (const steps of [
    ["record begun", "instance begun"],
    ["record begun", "instance begun", "instance done"],
  ]) {
    await using site = await openSite();
    await site.create("small");
    await site.leaveJournal("small", steps);
    await assert.rejects(site.create("big"), (error) => {
      assert.ok(isMachineError(error, "machine-interrupted"));
      assert.match(error.message, /cannot change any more: --fakecloud-size \(small, not big\)$/u);
      assert.match(error.hint ?? "", /docker-machine rm web/u);
      return true;
    });
    assert.equal(site.cloud.resources.all.size, 1);
    await site.create("small");
    assert.deepEqual([await site.size(), site.cloud.resources.all.size], ["small", 1]);
    await site.leaveJournal("small", steps);
    // The hint, followed.
    await removeMachine(site.context, { name: "web", force: false, restore: false }, signal);
    await site.create("big");
    assert.deepEqual([await site.size(), site.cloud.resources.all.size], ["big", 1]);
  }
});
