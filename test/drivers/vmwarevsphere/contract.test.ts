/** The contract of drivers, lived against the simulator: a vCenter, and an ESXi host by itself. */
import assert from "node:assert/strict";
import { driverModule } from "../../../src/drivers/vmwarevsphere/index.ts";
import { FakeClock } from "../../../src/system/fake-clock.ts";
import { describeDriverContract } from "../../../src/testing/driver-contract.ts";
import { records } from "./records.ts";
import { bareComputer } from "../driver-scene.ts";
import { isReading, noPrograms, resourcesOf, vcenterFlags } from "./scene.ts";
import { FakeVcenter } from "./vcenter.ts";
import { vcsimMissing } from "./vcsim.ts";

if (vcsimMissing === false)
  describeDriverContract(
    "vmwarevsphere",
    async () => {
      const vcenter = await FakeVcenter.start();
      const ours = async () => (await vcenter.state()).vms.find(({ name }) => name.startsWith("contract-"));
      return {
        module: driverModule,
        // A clone: how an image comes to vSphere is what the crash suite lives through.
        flags: { ...(await vcenterFlags(vcenter)), "vmwarevsphere-clone-from": "DC0_H0_VM0" },
        context: { computer: bareComputer, processes: noPrograms, clock: new FakeClock() },
        records,
        resources: async () => await resourcesOf(vcenter),
        isReading,
        address: async () => vcenter.addressOf((await ours())?.ref ?? ""),
        loseInstance: async () => void (await vcenter.lab("destroy", { vm: (await ours())?.ref })),
        [Symbol.asyncDispose]: async () => {
          await vcenter[Symbol.asyncDispose]();
          assert.deepEqual(vcenter.violations, []);
        },
      };
    },
    { refusedFlags: { "vmwarevsphere-username": user() }, lifecycle: { timeoutMs: 240_000 } },
  );

function user(): string {
  return "alice";
}
