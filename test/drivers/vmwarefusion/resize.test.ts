/** `edit` and `console` on the stand-in for VMware. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { describe, test } from "node:test";
import { parseVmx, withValues } from "../../../src/drivers/vmwarefusion/vmx.ts";
import { HastyClock } from "../../support/hasty-clock.ts";
import { assertRefused } from "../driver-scene.ts";
import { describeResizing } from "../resizing.ts";
import { newWorld, openScene, type Scene } from "./scene.ts";

/** On a computer of this size. */
async function openSmall(): Promise<Scene> {
  return await openScene({}, {}, (behaviour) => {
    const world = newWorld(new HastyClock(), behaviour);
    return { ...world, context: { ...world.context, computer: { ...world.context.computer, memoryMiB: 4_096, cpus: 4 } } };
  });
}

function described({ vmx }: Scene): ReadonlyMap<string, string> {
  return parseVmx(readFileSync(vmx, "utf8"));
}

describeResizing("vmwarefusion", {
  open: openSmall,
  sizesOf: (scene) => ({ cpus: Number(described(scene).get("numvcpus")), memoryMiB: Number(described(scene).get("memsize")) }),
  fields: { cpus: "CPU", memoryMiB: "Memory" },
  impossible: [
    [{ cpus: 5 }, /^--vmwarefusion-cpu-count 5 is more than this computer has: 4$/u],
    [{ cpus: 17 }, /^--vmwarefusion-cpu-count 17 is too large: 16 is the most$/u],
    [{ memoryMiB: 4_100 }, /^--vmwarefusion-memory-size 4100 is more than this computer has: 4096 MB$/u],
    [{ memoryMiB: 1_022 }, /is no multiple of 4/u],
  ],
  lose: ({ vmx }) => rmSync(vmx),
});

describe("the description of a machine", () => {
  test("keeps every other line, its line ends, and bytes that are no text", () => {
    const text =
      '.encoding = "windows-1252"\r\nMEMSIZE = "512"\r\n  numvcpus="1"\r\ndisplayName = "caf\xe9 $1"\r\n# numvcpus = "7"\r\n';
    assert.equal(
      withValues(text, { memsize: "768", numvcpus: "2", "cpuid.coresPerSocket": "1" }),
      '.encoding = "windows-1252"\r\nMEMSIZE = "768"\r\n  numvcpus="2"\r\ndisplayName = "caf\xe9 $1"\r\n# numvcpus = "7"\r\ncpuid.coresPerSocket = "1"\r\n',
    );
    assert.equal(withValues('a = "1"', { b: "2" }), 'a = "1"\nb = "2"\n');
  });

  test("has sockets that its processors fill", async () => {
    await using scene = await openSmall();
    const driver = await scene.created();
    await driver.stop(scene.signal);
    writeFileSync(scene.vmx, `${readFileSync(scene.vmx, "utf8")}cpuid.coresPerSocket = "2"\n`);
    await driver.resize?.({ cpus: 4 }, scene.signal);
    assert.equal(described(scene).get("cpuid.corespersocket"), "2");
    await driver.resize?.({ cpus: 3 }, scene.signal);
    assert.equal(described(scene).get("cpuid.corespersocket"), "1");
  });

  test("is left alone while a window has it open, and of a machine whose memory was saved", async () => {
    await using scene = await openSmall();
    const driver = await scene.created();
    await driver.stop(scene.signal);
    const before = readFileSync(scene.vmx, "utf8");
    mkdirSync(`${scene.vmx}.lck`);
    const resize = async () => await driver.resize?.({ cpus: 2 }, scene.signal);
    await assertRefused(resize(), "provider-busy", '"web" is open in a window of VMware\'s');
    rmSync(`${scene.vmx}.lck`, { recursive: true });
    writeFileSync(scene.vmx.replace(/vmx$/u, "vmss"), "");
    await assertRefused(resize(), "machine-state", /^"web" is Saved: /u);
    assert.equal(readFileSync(scene.vmx, "utf8"), before);
  });
});

test("the console is what the guest wrote to its file", async () => {
  await using scene = await openScene();
  const driver = await scene.created();
  const file = path.join(scene.context.machineDir, "console.log");
  writeFileSync(file, "web login: ");
  assert.equal(await driver.console?.(scene.signal), "web login: ");
  rmSync(file);
  await assertRefused(driver.console?.(scene.signal) ?? assert.fail(), "driver-unsupported", /kept nowhere$/u);
});
