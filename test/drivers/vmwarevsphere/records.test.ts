/** Machines of 0.16.2 and of Rancher's fork: found, used and removed. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { driverModule } from "../../../src/drivers/vmwarevsphere/index.ts";
import type { Driver } from "../../../src/driver-kit/driver.ts";
import { recordOf016, recordOfRancher } from "./records.ts";
import { assertRefused, configOf } from "../driver-scene.ts";
import { openScene, type Scene } from "./scene.ts";
import { fileOf } from "./seed-reading.ts";
import { password, user, vcsimMissing } from "./vcsim.ts";

function opened({ vcenter, context }: Scene, record: object): Driver {
  const there = { IP: "127.0.0.1", Port: vcenter.port, Username: user, Password: password };
  return driverModule.open({ ...context, createId: undefined }, JSON.stringify({ ...record, ...there }));
}

describe("machines of older tools", { skip: vcsimMissing }, () => {
  test("one of 0.16.2 is where it was put; its certificate is pinned, and that is said", async () => {
    await using scene = await openScene();
    const { vcenter, signal } = scene;
    await vcenter.lab("vm", { name: "web", datastore: "LocalDS_0" });
    const driver = opened(scene, recordOf016);
    assert.equal(await driver.getState(signal), "Stopped");
    assert.ok(scene.lines().some((line) => line.includes(`It is believed from now on: SHA-256 ${vcenter.thumbprint}`)));
    await driver.start(signal);
    await driver.locate?.(signal);
    const { ref, instanceUuid } = await vcenter.vm("web");
    assert.equal(await driver.getIp(), vcenter.addressOf(ref));
    const config = await configOf(driver);
    assert.deepEqual([config["TlsThumbprint"], config["InstanceUuid"]], ["", instanceUuid]);
    assert.equal(scene.test.saves(), 0, "who only looks holds no lock, and must not write the record");
    // From now on it is known by its UUID, and by this certificate.
    await vcenter.lab("rename", { vm: ref, name: "moved" });
    const later = await scene.reopened(driver);
    assert.equal(await later.getState(signal), "Running");
    await vcenter.changeCertificate();
    await assertRefused((await scene.reopened(driver)).getState(signal), "provider-untrusted", /another certificate/u);
  });

  test("one of 0.16.2 is removed with its own disk and its CD; what others attached stays", async () => {
    await using scene = await openScene();
    const { vcenter, signal } = scene;
    await vcenter.lab("vm", { name: "data", datastore: "LocalDS_1" });
    await vcenter.lab("vm", { name: "web", datastore: "LocalDS_0" });
    const [web, data] = [await vcenter.vm("web"), await vcenter.vm("data")];
    const theirs = data.devices.find(({ kind }) => kind === "VirtualDisk")?.file ?? "";
    await vcenter.lab("attach", { vm: web.ref, file: theirs });
    await writeFile(fileOf(await vcenter.state(), web.vmPathName.replace(/[^/]*$/u, "boot2docker.iso")), "a CD");
    await opened(scene, recordOf016).remove(signal);
    await assert.rejects(vcenter.vm("web"));
    const { files } = await vcenter.state();
    assert.deepEqual([files.includes(theirs), files.filter((file) => file.includes("] web/"))], [true, []]);
    const deleted = vcenter.requests.find(({ method }) => method === "DeleteDatastoreFile_Task")?.text;
    assert.match(deleted ?? "", /<name>\[LocalDS_0\] web\/boot2docker\.iso<\/name><datacenter type="Datacenter">/u);
  });

  test("one of 0.16.2 whose CD is gone is removed all the same, which 0.16.2 itself left behind", async () => {
    await using scene = await openScene();
    const { vcenter, signal } = scene;
    await vcenter.lab("vm", { name: "web", datastore: "LocalDS_0" });
    await opened(scene, recordOf016).remove(signal);
    await assert.rejects(vcenter.vm("web"));
  });

  test("a VM of its name that bears another create's mark, or is a template, is not 0.16.2's", async () => {
    for (const foreign of [{ template: true }, { extraConfig: { "guestinfo.docker-machine.create-id": "another" } }]) {
      await using scene = await openScene();
      const { vcenter, signal } = scene;
      await vcenter.lab("vm", { name: "web", datastore: "LocalDS_0", ...foreign });
      const driver = opened(scene, recordOf016);
      assert.equal(await driver.getState(signal), "");
      await driver.remove(signal);
      await vcenter.vm("web");
    }
  });

  test("one of Rancher's is known by the UUID of its BIOS, whatever it is called", async () => {
    await using scene = await openScene();
    const { vcenter, signal } = scene;
    await vcenter.lab("vm", { name: "elsewhere", datastore: "LocalDS_0" });
    await vcenter.lab("vm", { name: "web", datastore: "LocalDS_0" });
    const { biosUuid } = await vcenter.vm("elsewhere");
    const driver = opened(scene, { ...recordOfRancher, MachineId: biosUuid });
    assert.equal(await driver.getState(signal), "Stopped");
    await driver.remove(signal);
    await assert.rejects(vcenter.vm("elsewhere"));
    await vcenter.vm("web");
  });
});
