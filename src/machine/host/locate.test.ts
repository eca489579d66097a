import assert from "node:assert/strict";
import { test } from "node:test";
import { driverModule as qemu } from "../../drivers/qemu/index.ts";
import { isMachineError } from "../../errors/machine-error.ts";
import { FakeClock } from "../../system/fake-clock.ts";
import { whileTimePasses } from "../../testing/passing-time.ts";
import type { MachineContext } from "../machine-context.ts";
import { defaultTimeouts } from "../timeouts.ts";
import type { Host } from "./host.ts";
import { locate } from "./locate.ts";

/** A machine whose address is known after some questions; -1: never. */
function hostAfter(questions: number, addressHint?: string): { readonly host: Host; readonly saves: () => number } {
  let [asked, saves] = [0, 0];
  const driver = {
    locate: async () => void (asked += 1),
    getIp: async () => (questions >= 0 && asked > questions ? "192.0.2.9" : ""),
    configText: async () => JSON.stringify({ asked: asked > questions }),
    addressHint,
  };
  const host = { name: "web", module: qemu, driver, save: async () => void (saves += 1) } as unknown as Host;
  return { host, saves: () => saves };
}

async function located(host: Host): Promise<void> {
  const clock = new FakeClock();
  const context = { clock, timeouts: defaultTimeouts } as unknown as MachineContext;
  await whileTimePasses(clock, async () => await locate(context, host, AbortSignal.timeout(30_000)));
}

test("an address that comes late is waited for, and saved", async () => {
  const { host, saves } = hostAfter(3);
  await located(host);
  assert.equal(saves(), 1);
});

test("one that never comes ends in a sentence, with the driver's own way out", async () => {
  for (const [given, hint] of [
    ["Look at the switch.", /^Look at the switch\.$/u],
    [undefined, /^Look at its console and its network/u],
  ] as const) {
    await assert.rejects(located(hostAfter(-1, given).host), (error) => {
      assert.ok(isMachineError(error, "timeout"));
      assert.equal(error.message, '"web" runs, but its provider told no address of it within 180 s');
      assert.match(error.hint ?? "", hint);
      return true;
    });
  }
});
