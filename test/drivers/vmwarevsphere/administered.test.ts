/** What a vCenter has beyond its VMs: libraries, tags, attributes, specifications for guests, vApp properties. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { administrationOf } from "./administration.ts";
import { assertRefused } from "../driver-scene.ts";
import { openScene, resourcesOf } from "./scene.ts";
import { vcsimMissing } from "./vcsim.ts";

const clone = { "vmwarevsphere-clone-from": "DC0_H0_VM0" };
const item = { "vmwarevsphere-content-library": "images", "vmwarevsphere-clone-from": "debian" };

describe("what a vCenter has beyond its VMs", { skip: vcsimMissing }, () => {
  for (const hasApi of [true, false])
    test(`a machine is deployed from a library, and has its tags: ${hasApi ? "/api" : "/rest, as before 7.0 U2"}`, async () => {
      await using scene = await openScene();
      const { vcenter, signal } = scene;
      vcenter.hasApi = hasApi;
      const administration = await administrationOf(vcenter);
      await administration.addItem("images", "debian");
      const tag = await administration.addTag("docker-machine");
      const field = await vcenter.lab<number>("field", { name: "owner" });
      const before = await resourcesOf(vcenter);
      const flags = {
        ...item,
        "vmwarevsphere-tag": [tag],
        "vmwarevsphere-custom-attribute": [`${field}=alice`],
        "vmwarevsphere-disk-size": 2048,
      };
      const driver = await scene.created(flags);
      const vm = await vcenter.vm("web");
      assert.deepEqual([vm.state, vm.cpus, vm.memoryMB], ["poweredOn", 2, 1024]);
      assert.deepEqual(await administration.tagged(tag), [vm.ref]);
      assert.deepEqual(vm.fields, { [field]: "alice" });
      assert.deepEqual(
        vm.devices.filter(({ capacityKB }) => capacityKB !== undefined).map(({ capacityKB }) => capacityKB),
        [2048 * 1024],
      );
      assert.deepEqual((await driver.findResources?.(signal))?.[0], { kind: "instance", id: vm.instanceUuid });
      await (await scene.reopened(driver)).remove(signal);
      assert.deepEqual(await resourcesOf(vcenter), before);
      const last = vcenter.requests.findLast(({ path }) => /\/session$/u.test(path));
      assert.equal(last?.method, "DELETE", "a session of the REST API was left");
    });

  test("a deployment that was cut off before the VM had its UUID is taken over, or removed", async () => {
    for (const goesOn of [true, false]) {
      await using scene = await openScene();
      const { vcenter, signal } = scene;
      const administration = await administrationOf(vcenter);
      await administration.addItem("images", "debian");
      const before = await resourcesOf(vcenter);
      const driver = await scene.checked(item);
      vcenter.fail({
        method: "ReconfigVM_Task",
        fault: "NoPermission",
        members: '<object type="VirtualMachine">vm-1</object><privilegeId>x</privilegeId>',
      });
      await assertRefused(driver.create(signal), "provider-permission", /may not do this/u);
      const { ref } = await vcenter.vm("web");
      // What was saved last is from before the deployment.
      const later = await scene.reopened(driver);
      if (goesOn) {
        await later.create(signal);
        assert.equal((await vcenter.vm("web")).ref, ref, "a second one was made");
      }
      await (await scene.reopened(later)).remove(signal);
      assert.deepEqual(await resourcesOf(vcenter), before);
    }
  });

  test("a deployment that vCenter reports as failed, in an answer that is a success", async () => {
    await using scene = await openScene();
    const { vcenter, signal } = scene;
    const administration = await administrationOf(vcenter);
    await administration.addItem("images", "debian");
    const driver = await scene.checked(item);
    vcenter.deployFailure = "Insufficient disk space on datastore";
    await assertRefused(
      driver.create(signal),
      "provider-invalid",
      /could not deploy debian: Insufficient disk space on datastore/u,
    );
    vcenter.deployFailure = undefined;
    await driver.create(signal);
    await driver.remove(signal);
  });

  test("a tag that is not there is named, and the machine can be removed", async () => {
    await using scene = await openScene();
    const { signal } = scene;
    const driver = await scene.checked({ ...clone, "vmwarevsphere-tag": ["urn:vmomi:InventoryServiceTag:nothing:GLOBAL"] });
    await assertRefused(
      driver.create(signal),
      "provider-not-found",
      /vCenter has no tag urn:vmomi:InventoryServiceTag:nothing:GLOBAL/u,
    );
    await driver.remove(signal);
  });

  test("a clone is customised by a specification of vCenter's, as it is", async () => {
    await using scene = await openScene();
    const { vcenter, signal } = scene;
    const other = await scene.checked({ ...clone, "vmwarevsphere-customization": "nothing" });
    await assertRefused(other.create(signal), "provider-not-found", /nothing/u);
    await other.remove(signal);
    await scene.created({ ...clone, "vmwarevsphere-customization": "vcsim-linux-static" });
    const sent = vcenter.requests.find(({ method }) => method === "CloneVM_Task")?.text ?? "";
    assert.match(
      sent,
      /<customization><options xsi:type="CustomizationLinuxOptions">.*<identity xsi:type="CustomizationLinuxPrep">/u,
    );
  });

  test("vApp properties and transport are in the request that changes the VM", async () => {
    await using scene = await openScene();
    const flags = {
      "vmwarevsphere-vapp-property": ["guestinfo.hostname=web", "a=b=c"],
      "vmwarevsphere-vapp-transport": "com.vmware.guestInfo",
    };
    await scene.created({
      ...clone,
      ...flags,
      "vmwarevsphere-vapp-ipprotocol": "IPv4",
      "vmwarevsphere-vapp-ipallocationpolicy": "fixedAllocated",
    });
    const sent = scene.vcenter.requests.find(({ method }) => method === "ReconfigVM_Task")?.text ?? "";
    assert.match(sent, /<id>guestinfo\.hostname<\/id>.*<value>web<\/value>.*<id>a<\/id>.*<value>b=c<\/value>/u);
    assert.match(sent, /<ipAllocationPolicy>fixedAllocatedPolicy<\/ipAllocationPolicy>.*<ipProtocol>IPv4<\/ipProtocol>/u);
  });

  test("an ESXi host by itself has none of that, and says so before anything is made", async () => {
    await using scene = await openScene({ model: "esx" });
    for (const [flag, flags] of [
      ["clone-from", clone],
      ["content-library", item],
      ["datastore-cluster", { "vmwarevsphere-datastore-cluster": "p" }],
      ["tag", { "vmwarevsphere-tag": ["urn:vmomi:InventoryServiceTag:x:GLOBAL"] }],
      ["custom-attribute", { "vmwarevsphere-custom-attribute": ["1=a"] }],
    ] as const)
      await assertRefused(
        scene.checked(flags),
        "provider-unsupported",
        new RegExp(`needs a vCenter, and 127.0.0.1 is VMware ESXi`, "u"),
      ).then((error) => assert.ok(error.hint?.includes("--vmwarevsphere-vcenter"), flag));
  });
});
