/**
 * The contract and the crash suite on the product's own VBoxManage, with machines that run laid over it. In full they take
 * minutes: DOCKER_MACHINE_LONG_TESTS=1. With every change a whole life is lived.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import type { Resource } from "../../../src/driver-kit/driver.ts";
import { virtualBoxModule } from "../../../src/drivers/virtualbox/index.ts";
import { parseVms } from "../../../src/drivers/virtualbox/listings.ts";
import { thisComputer } from "../../../src/system/computer.ts";
import { FakeClock } from "../../../src/system/fake-clock.ts";
import { SystemProcessRunner } from "../../../src/system/process.ts";
import { contractLife } from "../../../src/testing/contract-life.ts";
import { describeDriverCrashes } from "../../../src/testing/crash-suite.ts";
import { describeDriverContract } from "../../../src/testing/driver-contract.ts";
import { openRealVBox, provideVBoxManage } from "./real-vboxmanage.ts";
import { RunningOverlay } from "./running-overlay.ts";
import { bootDisk } from "../../support/boot-disk.ts";

const provided = await provideVBoxManage();
const missing = "reason" in provided ? provided.reason : undefined;
const isLong = process.env["DOCKER_MACHINE_LONG_TESTS"] === "1";
const skip = missing ?? (isLong ? undefined : "DOCKER_MACHINE_LONG_TESTS=1 runs it");
const manyMs = 1_500_000;

/** With a machine of others of the suite's own name, and their interface, which fits. */
async function fixture(name: string) {
  assert.ok("tree" in provided);
  const vbox = await openRealVBox(provided.tree);
  const image = path.join(vbox.folder, "image.raw");
  writeFileSync(image, bootDisk());
  await vbox.run(
    "createvm",
    "--name",
    name,
    "--basefolder",
    path.join(vbox.folder, "theirs"),
    "--ostype",
    "Debian_64",
    "--register",
  );
  await vbox.setInterface("192.168.59.1/24");
  const server = [
    "--ip",
    "192.168.59.2",
    "--netmask",
    "255.255.255.0",
    "--lowerip",
    "192.168.59.100",
    "--upperip",
    "192.168.59.254",
  ];
  await vbox.run("dhcpserver", "modify", "--netname", "HostInterfaceNetworking-vboxnet0", ...server, "--enable");
  const computer = { ...thisComputer(), env: vbox.env, homeDir: vbox.folder };
  const here = { moduleDevice: "/nowhere", firmwareVariables: "/nowhere", networksConf: "/nowhere", networks: () => [] };
  return {
    module: virtualBoxModule(here),
    flags: { "virtualbox-image": image, "virtualbox-no-vtx-check": true, "virtualbox-no-share": true },
    // The lock in it is one of those that the suite takes from the dead.
    context: {
      computer,
      processes: new RunningOverlay(new SystemProcessRunner(computer)),
      clock: new FakeClock(),
      cacheDir: vbox.folder,
    },
    resources: async (): Promise<readonly Resource[]> =>
      parseVms(`${await vbox.run("list", "vms")}\n`).map(({ uuid }) => ({ kind: "instance", id: uuid })),
    loseInstance: async () => {
      for (const { uuid, name: own } of parseVms(`${await vbox.run("list", "vms")}\n`)) {
        const isTheirs = (await vbox.run("showvminfo", uuid, "--machinereadable")).includes("/theirs/");
        if (own === name && !isTheirs) await vbox.run("unregistervm", uuid);
      }
    },
    [Symbol.asyncDispose]: async () => await vbox[Symbol.asyncDispose](),
  };
}

for (const title of ["lives a whole life: create, stop, start, restart, kill, remove, and nothing twice"]) {
  test(`${title}, on VBoxManage itself`, { skip: missing ?? false }, async (t) => {
    await contractLife[title]?.(
      async () => await fixture("contract-1"),
      AbortSignal.timeout(240_000),
      (reason) => t.skip(reason),
    );
  });
}

if (skip === undefined) {
  describeDriverContract("virtualbox", async () => await fixture("contract-1"), { lifecycle: { timeoutMs: manyMs } });
  describeDriverCrashes("virtualbox, on VBoxManage itself", async () => await fixture("crash-1"), { timeoutMs: manyMs });
} else test("the contract and the crash suite in full", { skip }, () => {});
