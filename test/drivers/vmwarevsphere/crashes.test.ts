/** The crash suite: the driver is killed at each step of create and rm, beside what others have of the same kinds and name. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { describe } from "node:test";
import { driverModule } from "../../../src/drivers/vmwarevsphere/index.ts";
import { FakeClock } from "../../../src/system/fake-clock.ts";
import { crashMachineName, describeDriverCrashes } from "../../../src/testing/crash-suite.ts";
import { bareComputer } from "../driver-scene.ts";
import { hostFlags, isReading, noPrograms, resourcesOf, vcenterFlags } from "./scene.ts";
import { FakeVcenter } from "./vcenter.ts";
import { vcsimMissing } from "./vcsim.ts";

function describeCrashesOf(model: "vpx" | "esx", skip: string | undefined): void {
  describeDriverCrashes(
    "vmwarevsphere",
    async () => {
      const vcenter = await FakeVcenter.start(model);
      if (model === "vpx") await addForeign(vcenter);
      return {
        module: driverModule,
        flags: model === "vpx" ? await vcenterFlags(vcenter) : await hostFlags(vcenter),
        context: { computer: bareComputer, processes: noPrograms, clock: new FakeClock() },
        resources: async () => await resourcesOf(vcenter),
        isReading,
        [Symbol.asyncDispose]: async () => {
          await vcenter[Symbol.asyncDispose]();
          assert.deepEqual(vcenter.violations, []);
        },
      };
    },
    { skip, timeoutMs: 480_000 },
  );
}

const missing = vcsimMissing === false ? undefined : vcsimMissing;
describe("at a vCenter", () => describeCrashesOf("vpx", missing));
const isLong = process.env["DOCKER_MACHINE_LONG_TESTS"] === "1";
describe("at an ESXi host by itself, which clones nothing", () =>
  describeCrashesOf("esx", isLong ? missing : "only with DOCKER_MACHINE_LONG_TESTS=1"));

/** Someone else's VM of the machine's name, elsewhere, with a mark and a seed of its own; and somebody's unfinished image. */
async function addForeign(vcenter: FakeVcenter): Promise<void> {
  const folder = await vcenter.lab<string>("folder", { name: "others" });
  const extraConfig = { "guestinfo.docker-machine.create-id": "another" };
  const machine = { name: crashMachineName, datastore: "LocalDS_0", folder, extraConfig };
  await vcenter.lab("vm", { ...machine, instanceUuid: "11111111-2222-4333-8444-555555555555" });
  await vcenter.lab("vm", {
    ...machine,
    name: "docker-machine-image-of-others",
    instanceUuid: "11111111-2222-4333-8444-666666666666",
  });
  const { datastores } = await vcenter.state();
  const theirs = path.join(datastores["LocalDS_0"] ?? "", "theirs");
  await mkdir(theirs);
  await writeFile(path.join(theirs, "docker-machine-seed.iso"), "theirs");
}
