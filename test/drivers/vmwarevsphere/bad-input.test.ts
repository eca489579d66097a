/** What goes wrong at vSphere: each is one sentence with a way out, nothing is lost, and nothing of others is touched. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { FlagValue } from "../../../src/driver-kit/create-flag.ts";
import { assertRefused, configOf } from "../driver-scene.ts";
import { openScene, resourcesOf, type Scene } from "./scene.ts";
import type { Fault } from "./vcenter.ts";
import { password, vcsimMissing } from "./vcsim.ts";

const clone = { "vmwarevsphere-clone-from": "DC0_H0_VM0" };

/** That a create which fails so can be removed, and is made by a second attempt. */
async function failsAndRecovers(
  scene: Scene,
  fault: Fault,
  code: Parameters<typeof assertRefused>[1],
  sentence: RegExp,
  flags = {},
): Promise<void> {
  const { vcenter, signal } = scene;
  const before = await resourcesOf(vcenter);
  const driver = await scene.checked(flags);
  vcenter.fail(fault);
  await assertRefused(driver.create(signal), code, sentence);
  const again = await scene.reopened(driver);
  await again.create(signal);
  assert.equal(await again.getState(signal), "Running");
  await again.remove(signal);
  assert.deepEqual(await resourcesOf(vcenter), before);
}

describe("bad input at vSphere", { skip: vcsimMissing }, () => {
  const refusals: readonly (readonly [
    string,
    Readonly<Record<string, FlagValue>>,
    Parameters<typeof assertRefused>[1],
    RegExp,
  ])[] = [
    [
      "a wrong password",
      { "vmwarevsphere-password": "wrong" },
      "provider-credentials",
      /does not accept the user alice@vsphere\.local or the password/u,
    ],
    [
      "no password",
      { "vmwarevsphere-password": "" },
      "provider-credentials",
      /looked at: --vmwarevsphere-password, VSPHERE_PASSWORD$/u,
    ],
    ["no such datacenter", { "vmwarevsphere-datacenter": "DC9" }, "provider-not-found", /^datacenter 'DC9' not found$/u],
    ["no such datastore", { "vmwarevsphere-datastore": "x" }, "provider-not-found", /^datastore 'x' not found$/u],
    [
      "several datastores",
      { "vmwarevsphere-datastore": "" },
      "provider-not-found",
      /^default datastore resolves to multiple instances, please specify$/u,
    ],
    ["no such network", { "vmwarevsphere-network": ["x"] }, "provider-not-found", /^network 'x' not found$/u],
    ["no such pool", { "vmwarevsphere-pool": "x" }, "provider-not-found", /^resource pool 'x' not found$/u],
    [
      "several pools",
      { "vmwarevsphere-pool": "" },
      "provider-not-found",
      /^default resource pool resolves to multiple instances/u,
    ],
    ["no such host", { "vmwarevsphere-hostsystem": "x" }, "provider-not-found", /^host system 'x' not found$/u],
    ["no such folder", { "vmwarevsphere-folder": "/a/b/" }, "provider-not-found", /^failed to find VM Folder 'a\/b'$/u],
    ["nothing to clone", { "vmwarevsphere-clone-from": "x" }, "provider-not-found", /^vm 'x' not found$/u],
    [
      "no such cluster of datastores",
      { "vmwarevsphere-datastore": "", "vmwarevsphere-datastore-cluster": "x" },
      "provider-not-found",
      /^datastore cluster 'x' not found$/u,
    ],
    [
      "no such library",
      { "vmwarevsphere-content-library": "x", "vmwarevsphere-clone-from": "y" },
      "provider-not-found",
      /no content library x/u,
    ],
    ["a disk smaller than the image", { "vmwarevsphere-disk-size": 1 }, "driver-options", /too small for the image/u],
    ["a file that is not there", { "vmwarevsphere-cloud-config": "/no/such" }, "driver-options", /does not exist/u],
  ];
  for (const [title, flags, code, sentence] of refusals)
    test(`${title} is said before anything is made`, async () => {
      await using scene = await openScene();
      const before = await resourcesOf(scene.vcenter);
      const error = await assertRefused(scene.checked(flags), code, sentence);
      assert.ok(!`${error.message}${error.hint}`.includes(password));
      assert.deepEqual(await resourcesOf(scene.vcenter), before);
    });

  test("a datastore that is too full for the image is refused, and one that fills up meanwhile can be tried again", async () => {
    await using scene = await openScene();
    const { vcenter } = scene;
    await vcenter.lab("space", { datastore: "LocalDS_0", freeBytes: 1024 * 1024 });
    await assertRefused(
      scene.checked(),
      "provider-capacity",
      /^The datastore LocalDS_0 has 1 MB left, and the image needs 4 MB$/u,
    );
    await vcenter.lab("space", { datastore: "LocalDS_0", freeBytes: 1024 ** 4 });
    await failsAndRecovers(
      scene,
      { method: "CloneVM_Task", fault: "NoDiskSpace", members: "<datastore>LocalDS_0</datastore>", inTask: true },
      "provider-capacity",
      /^The datastore is full: LocalDS_0/u,
    );
  });

  test("a disk that the host does not take is brought again", async () => {
    await using scene = await openScene();
    await failsAndRecovers(
      scene,
      { method: "NFC", fault: "500" },
      "provider-error",
      /did not take the disk: it answered with status 500/u,
    );
    assert.equal(scene.vcenter.calls("HttpNfcLeaseAbort"), 1);
  });

  test("a connection that breaks in the midst of the disk, or of a task's answer", async () => {
    await using scene = await openScene();
    await failsAndRecovers(scene, { method: "NFC", lost: true }, "provider-unreachable", /broke off/u);
    for (const method of ["CloneVM_Task", "ReconfigVM_Task", "PowerOnVM_Task"])
      await failsAndRecovers(scene, { method, lost: true }, "provider-unreachable", /broke off/u, clone);
  });

  test("a right that is missing is named, with the object", async () => {
    await using scene = await openScene();
    const members = '<object type="Folder">group-v3</object><privilegeId>VirtualMachine.Provisioning.Clone</privilegeId>';
    const denied = { method: "CloneVM_Task", fault: "NoPermission", members };
    await failsAndRecovers(
      scene,
      denied,
      "provider-permission",
      /may not do this at 127\.0\.0\.1: VirtualMachine\.Provisioning\.Clone on Folder group-v3/u,
      clone,
    );
    await failsAndRecovers(
      scene,
      { method: "PUT /folder", fault: "403" },
      "provider-permission",
      /may not write \[LocalDS_0\] web\/docker-machine-seed\.iso/u,
      clone,
    );
  });

  test("no room on any host, and a licence that allows nothing, are told apart", async () => {
    await using scene = await openScene();
    const full = { method: "PowerOnVM_Task", fault: "InsufficientMemoryResourcesFault", inTask: true } as const;
    await failsAndRecovers(scene, full, "provider-capacity", /^No host has room/u, clone);
    await failsAndRecovers(
      scene,
      { method: "ReconfigVM_Task", fault: "RestrictedVersion" },
      "provider-account",
      /licence/u,
      clone,
    );
  });

  test("a name that is taken is refused, also where it is taken at the last moment, and what is there stays", async () => {
    await using scene = await openScene();
    const { vcenter, signal } = scene;
    const driver = await scene.checked(clone);
    await vcenter.lab("vm", { name: "web", datastore: "LocalDS_0" });
    const theirs = await vcenter.vm("web");
    await assertRefused(driver.create(signal), "provider-exists", /A VM named web exists already in the folder/u);
    await driver.remove(signal);
    await assertRefused(scene.checked(clone), "provider-exists", /"web" exists already in the folder DC0\/vm/u);
    assert.deepEqual(await vcenter.vm("web"), theirs);
  });

  test("a clone that is still being made, of an attempt that was cut off, is waited for: taken over, or removed", async () => {
    for (const goesOn of [true, false]) {
      await using scene = await openScene();
      const { vcenter, signal } = scene;
      const before = await resourcesOf(vcenter);
      const driver = await scene.checked(clone);
      vcenter.fail({ method: "CloneVM_Task", lost: true });
      await assert.rejects(driver.create(signal));
      const { ref } = await vcenter.vm("web");
      vcenter.arriving = { ref, looks: 3 };
      const later = await scene.reopened(driver);
      if (goesOn) {
        await later.create(signal);
        assert.deepEqual([(await vcenter.vm("web")).ref, vcenter.arriving.looks], [ref, 0]);
      }
      await (await scene.reopened(later)).remove(signal);
      assert.deepEqual(await resourcesOf(vcenter), before);
    }
  });

  test("what others do to the VM is waited for", async () => {
    await using scene = await openScene();
    const { vcenter } = scene;
    vcenter.fail(
      { method: "ReconfigVM_Task", fault: "TaskInProgress", times: 2 },
      { method: "PowerOnVM_Task", fault: "ConcurrentAccess", inTask: true, times: 2 },
    );
    const driver = await scene.created(clone);
    assert.equal(await driver.getState(scene.signal), "Running");
  });

  test("a session that ends before any request of a create or a removal is begun anew", async () => {
    await using scene = await openScene();
    const { vcenter, signal } = scene;
    const driver = await scene.checked(clone);
    let count = 1;
    for (; vcenter.requestsToLive === 0; count += 1) {
      const logins = vcenter.calls("Login");
      vcenter.requestsToLive = count;
      const work = await scene.reopened(driver);
      await work.create(signal);
      assert.equal(await work.getState(signal), "Running");
      await work.remove(signal);
      if (vcenter.requestsToLive === 0)
        assert.equal(vcenter.calls("Login"), logins + (count < 3 ? 1 : 2), `after ${count} requests`);
    }
    assert.ok(count > 20, `there were ${count} requests`);
  });

  test("a certificate that nobody signed is refused with its fingerprint, before anything is sent", async () => {
    await using scene = await openScene();
    const { vcenter } = scene;
    const error = await assertRefused(
      scene.checked({ "vmwarevsphere-tls-thumbprint": "" }),
      "provider-untrusted",
      /^The certificate of 127\.0\.0\.1 is signed by nobody/u,
    );
    assert.ok(error.hint?.includes(vcenter.thumbprint));
    assert.deepEqual(vcenter.requests, []);
    for (const trusted of [vcenter.thumbprintSha1, vcenter.thumbprint.toLowerCase().replaceAll(":", "")])
      await scene.checked({ "vmwarevsphere-tls-thumbprint": trusted });
  });

  test("a certificate that changes in the midst ends the command, and nothing is sent to whoever shows it", async () => {
    await using scene = await openScene();
    const { vcenter, signal } = scene;
    const driver = await scene.created(clone);
    await vcenter.changeCertificate();
    const heard = vcenter.requests.length;
    const later = await scene.reopened(driver);
    const error = await assertRefused(
      later.remove(signal),
      "provider-untrusted",
      /shows another certificate than the expected one/u,
    );
    assert.ok(error.hint?.includes(vcenter.thumbprint));
    assert.equal(vcenter.requests.length, heard);
  });

  test("a disk that others attached stays, and what is the machine's own goes", async () => {
    await using scene = await openScene();
    const { vcenter, signal } = scene;
    await vcenter.lab("vm", { name: "data", datastore: "LocalDS_1" });
    const theirs = (await vcenter.vm("data")).devices.find(({ kind }) => kind === "VirtualDisk")?.file ?? "";
    const driver = await scene.created(clone);
    await vcenter.lab("attach", { vm: (await vcenter.vm("web")).ref, file: theirs });
    await driver.remove(signal);
    const { files, vms } = await vcenter.state();
    assert.ok(files.includes(theirs), `${theirs} is gone`);
    assert.ok(!vms.some(({ name }) => name === "web") && !files.some((file) => file.includes("] web/")));
    assert.ok(
      scene.lines().some((line) => line.includes(theirs)),
      "it is said",
    );
  });

  test("a VM that has the recorded id by now and is another, as after vCenter was restored, is neither looked at nor removed", async () => {
    await using scene = await openScene();
    const { vcenter, signal } = scene;
    const driver = await scene.created(clone);
    const { ref } = await vcenter.vm("web");
    await vcenter.lab("rename", { vm: ref, instanceUuid: "11111111-2222-4333-8444-777777777777" });
    const later = await scene.reopened(driver);
    assert.equal(await later.getState(signal), "");
    await assertRefused(later.start(signal), "provider-not-found", /The VM of "web" is not at 127\.0\.0\.1 any more/u);
    await later.remove(signal);
    assert.equal((await vcenter.vm("web")).ref, ref);
  });

  test("a removal that fails has failed, and can be repeated", async () => {
    await using scene = await openScene();
    const { vcenter, signal } = scene;
    for (const fault of [
      {
        method: "Destroy_Task",
        fault: "NoPermission",
        members: '<object type="VirtualMachine">vm-1</object><privilegeId>VirtualMachine.Inventory.Delete</privilegeId>',
      },
      { method: "PowerOffVM_Task", fault: "InvalidState", inTask: true },
      { method: "DeleteDatastoreFile_Task", fault: "CannotDeleteFile", inTask: true },
    ] as const) {
      const driver = await scene.created(clone);
      vcenter.fail(fault);
      await assert.rejects(driver.remove(signal));
      assert.equal(
        await (await scene.reopened(driver)).getState(signal),
        fault.method === "PowerOffVM_Task" ? "Running" : "Stopped",
      );
      await (await scene.reopened(driver)).remove(signal);
      await assert.rejects(vcenter.vm("web"));
    }
  });

  test("a seed that somebody deleted does not hold up the removal", async () => {
    await using scene = await openScene();
    const { vcenter, signal } = scene;
    const driver = await scene.created(clone);
    vcenter.fail({ method: "DeleteDatastoreFile_Task", fault: "FileNotFound", members: "<file>x</file>", inTask: true });
    await driver.remove(signal);
    await assert.rejects(vcenter.vm("web"));
    assert.deepEqual((await configOf(driver))["Resources"], []);
  });

  test("an image that somebody else is bringing is waited for, and told where it is never finished", async () => {
    await using scene = await openScene({ context: { operationMs: 60_000 } });
    const { vcenter, signal } = scene;
    const driver = await scene.checked();
    // What the driver looks for, as another's create has begun it.
    await scene.reopened(driver);
    vcenter.fail({ method: "NFC", fault: "500" });
    await assert.rejects(driver.create(signal));
    const uuid = String((await configOf(driver))["Resources"]).match(/image=\??([0-9a-f-]+)/u)?.[1] ?? "";
    await driver.remove(signal);
    await vcenter.lab("vm", { name: "docker-machine-image-theirs", datastore: "LocalDS_0", instanceUuid: uuid });
    const waiting = await scene.checked();
    await assertRefused(
      waiting.create(signal),
      "provider-busy",
      /template in vSphere, docker-machine-image-[0-9a-f]+, is not finished/u,
    );
    await waiting.remove(signal);
    await vcenter.vm("docker-machine-image-theirs");
  });
});
