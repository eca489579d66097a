/** Records of 0.16.2: opened, answered from, worked on by the file in the machine's folder, and written back as that reads them. */
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import type { Driver } from "../../../src/driver-kit/driver.ts";
import { driverModule } from "../../../src/drivers/vmwarefusion/index.ts";
import { describeRecordOrder, savedBy016 } from "../old-records.ts";
import { openScene, recordOf016, type Scene } from "./scene.ts";

/** What 0.16.2 writes for a machine of its own: no mark, an address of VMware's choice, boot2docker's CD. */
const oldDescription = `.encoding = "UTF-8"
config.version = "8"
displayName = "web"
ethernet0.present = "TRUE"
ethernet0.connectionType = "nat"
ethernet0.virtualDev = "vmxnet3"
ethernet0.addressType = "generated"
ethernet0.generatedAddress = "00:0c:29:0a:0b:0c"
guestOS = "other3xlinux-64"
memsize = "1024"
numvcpus = "1"
scsi0.present = "TRUE"
scsi0.virtualDev = "pvscsi"
scsi0:0.fileName = "web.vmdk"
scsi0:0.present = "TRUE"
virtualHW.version = "10"
`;

function old(scene: Scene): Driver {
  const { machineDir } = scene.context;
  writeFileSync(path.join(machineDir, "web.vmx"), oldDescription);
  writeFileSync(path.join(machineDir, "web.vmdk"), Buffer.concat([Buffer.from("KDMV"), Buffer.alloc(4096)]));
  for (const name of ["boot2docker.iso", "web.vmsd", "web.vmxf", "nvram", "vmware-0.log"])
    writeFileSync(path.join(machineDir, name), "x");
  writeFileSync(path.join(machineDir, "id_rsa"), "a key");
  return driverModule.open(scene.context, JSON.stringify(recordOf016()));
}

describeRecordOrder(driverModule, openScene, recordOf016());

test("a machine of 0.16.2 is the one in its folder, and is removed with its files and no others", async () => {
  await using scene = await openScene({ address: "arp" }, { createId: undefined });
  const { vmware, signal, vmx } = scene;
  const foreign = vmware.addForeign("web", true);
  const driver = old(scene);
  assert.equal(await driver.getUrl(), "tcp://172.16.1.7:2376");
  assert.equal(await driver.hostKeys?.(), "none");
  assert.equal(await driver.getState(signal), "Stopped");
  await driver.start(signal);
  assert.equal(await driver.getState(signal), "Running");
  assert.deepEqual(await driver.findResources?.(signal), [{ kind: "instance", id: vmx }]);
  await driver.stop(signal);
  assert.equal(await driver.getState(signal), "Stopped");
  await driver.remove(signal);
  assert.deepEqual(vmware.machines, [foreign]);
  assert.deepEqual(readdirSync(scene.context.machineDir), ["id_rsa"]);
});

test("what a save of 0.16.2 drops of ours is found again in the machine's folder", async () => {
  await using scene = await openScene();
  const driver = await scene.created();
  const later = await savedBy016(driverModule, scene, driver);
  assert.equal(await later.getState(scene.signal), "Running");
  await later.remove(scene.signal);
  assert.deepEqual(scene.vmware.machines, []);
});
