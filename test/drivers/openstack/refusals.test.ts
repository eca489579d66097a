/** What OpenStack refuses, what fails behind its requests, and what others do to a server meanwhile. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ErrorCode } from "../../../src/errors/codes.ts";
import { broken, refusedByKeystone, refusedByNeutron, refusedByNova, type Answer } from "./answers.ts";
import { moreNetworks } from "./catalogue.ts";
import { refused } from "./fake-openstack.ts";
import { assertRefused } from "../driver-scene.ts";
import { everything, openScene } from "./scene.ts";

const servers = /^POST compute\/servers$/u;

describe("what OpenStack refuses is one sentence with a way out", () => {
  const refusals: readonly (readonly [what: string, answer: Answer, ErrorCode, RegExp])[] = [
    [
      "permission",
      refusedByNova(403, "Policy doesn't allow os_compute_api:servers:create to be performed."),
      "provider-permission",
      /may not do this/u,
    ],
    [
      "quota",
      refusedByNova(403, "Quota exceeded for instances: Requested 1, but already used 10 of 10 instances"),
      "provider-quota",
      /used 10 of 10 instances/u,
    ],
    ["an image that is gone", refusedByNova(400, "Invalid imageRef provided."), "provider-invalid", /Invalid imageRef provided/u],
    [
      "a flavor without a disk",
      refusedByNova(403, "Only volume-backed servers are allowed for flavors with zero disk."),
      "provider-invalid",
      /m1\.small has no disk/u,
    ],
    [
      "an answer that is no JSON",
      { status: 202, body: "<html>welcome to the hotel</html>" },
      "provider-error",
      /makes no sense: it is not JSON/u,
    ],
  ];
  for (const [what, answer, code, sentence] of refusals) {
    test(what, async () => {
      await using scene = await openScene();
      const driver = await scene.checked();
      scene.cloud.fault(servers, refused(answer));
      await assert.rejects(driver.create(scene.signal), (thrown: { code: string; message: string }) => {
        assert.equal(thrown.code, code, thrown.message);
        assert.match(thrown.message, sentence);
        return true;
      });
      assert.equal(scene.cloud.nova.servers.size, 0);
      await driver.remove(scene.signal);
      assert.deepEqual(scene.cloud.resources, []);
    });
  }

  const faults: readonly (readonly [what: string, fault: string, ErrorCode, RegExp])[] = [
    [
      "no valid host",
      "No valid host was found. There are not enough hosts available.",
      "provider-capacity",
      /No host of the cloud has room for m1\.small/u,
    ],
    [
      "no network",
      "Build of instance 42 aborted: Failed to allocate the network(s), not rescheduling.",
      "provider-capacity",
      /could not give the instance an address/u,
    ],
    [
      "no volume",
      "Build of instance 42 aborted: Volume 7 did not finish being created",
      "provider-error",
      /Instance creation failed\. Instance is in ERROR state: /u,
    ],
  ];
  for (const [what, fault, code, sentence] of faults) {
    test(`${what}: the server cannot be built, and is removed`, async () => {
      await using scene = await openScene();
      scene.cloud.nova.failing = fault;
      const driver = await scene.checked();
      const error = await assertRefused(driver.create(scene.signal), code, sentence);
      assert.ok(error.message.includes(fault.replace(/\.$/u, "")), error.message);
      assert.equal(await driver.getState(scene.signal), "Error");
      assert.equal(driver.stateProblem, fault);
      await driver.remove(scene.signal);
      assert.deepEqual(scene.cloud.resources, []);
    });
  }

  test("no floating address is left: the server stays known, and is removed", async () => {
    await using scene = await openScene();
    const driver = await scene.checked({ "floatingip-pool": "public" });
    scene.cloud.neutron.isExhausted = true;
    await assertRefused(driver.create(scene.signal), "provider-capacity", /No address is free in the network/u);
    await driver.remove(scene.signal);
    assert.deepEqual(scene.cloud.resources, []);
  });

  test("no router leads from the network to the pool", async () => {
    await using scene = await openScene();
    scene.cloud.neutron.networks.push(moreNetworks.island);
    const driver = await scene.checked({ "net-name": "island", "floatingip-pool": "public" });
    await assertRefused(
      driver.create(scene.signal),
      "provider-invalid",
      /No router leads from the machine's network to the pool/u,
    );
    await driver.remove(scene.signal);
    assert.deepEqual(scene.cloud.resources, []);
  });

  test("a volume that cannot be made, and one beyond the quota", async () => {
    await using scene = await openScene();
    scene.cloud.cinder.endsAs = "error";
    const driver = await scene.checked({ "volume-size": 1 });
    await assertRefused(driver.create(scene.signal), "provider-error", /could not make the volume .*: it is error$/u);
    await driver.remove(scene.signal);
    assert.deepEqual(scene.cloud.resources, []);
    const large = await scene.checked({ "volume-size": 5_000 });
    await assertRefused(large.create(scene.signal), "provider-quota", /Requested 5000G, quota is 1000G/u);
    await large.remove(scene.signal);
    assert.deepEqual(scene.cloud.resources, []);
  });
});

test("a server that is not built in the time is named with its flag", async () => {
  await using scene = await openScene();
  const driver = await scene.checked({ "active-timeout": 30 });
  scene.cloud.nova.looks = 1_000;
  await assert.rejects(driver.create(scene.signal), {
    code: "timeout",
    message: /"web" was not active \(--openstack-active-timeout\) within 30 s/u,
  });
  scene.cloud.nova.looks = 1;
  await driver.remove(scene.signal);
  assert.deepEqual(scene.cloud.resources, []);
});

test("a server that others removed is gone, and rm succeeds", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  const driver = await scene.running(everything);
  const [id = ""] = cloud.nova.servers.keys();
  cloud.nova.servers.clear();
  cloud.neutron.removePorts(id);
  cloud.cinder.release(id);
  assert.equal(await driver.getState(signal), "");
  assert.match(String(driver.stateProblem), /is gone from OpenStack$/u);
  for (const work of [driver.locate, driver.start, driver.stop, driver.restart]) {
    const error = await assertRefused(
      work?.call(driver, signal) ?? Promise.resolve(),
      "provider-not-found",
      /is gone from OpenStack$/u,
    );
    assert.match(String(error.hint), /docker-machine rm web/u);
  }
  await assertRefused(driver.create(signal), "provider-not-found", /is gone from OpenStack$/u);
  await driver.remove(signal);
  assert.deepEqual(cloud.resources, []);
});

test("a server that is kept for a while after its end is gone", async () => {
  await using scene = await openScene();
  const driver = await scene.running();
  for (const server of scene.cloud.nova.servers.values()) server.status = "SOFT_DELETED";
  assert.equal(await driver.getState(scene.signal), "");
  assert.deepEqual(
    (await driver.findResources?.(scene.signal))?.map(({ kind }) => kind),
    ["key-pair"],
  );
});

test("actions: work of others is waited for, a lost answer is no second one, what is locked is told", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  const driver = await scene.running();
  const [server] = cloud.nova.servers.values();
  const actions = /\/action$/u;
  cloud.fault(actions, refused(refusedByNova(409, "Cannot 'stop' instance 42 while it is in task_state image_snapshot")), {
    kind: "lost",
  });
  await driver.stop(signal);
  while ((await driver.getState(signal)) !== "Stopped") assert.ok(cloud.requests.length < 100);
  cloud.fault(actions, { kind: "refused", answer: broken, done: true });
  await driver.start(signal);
  while ((await driver.getState(signal)) !== "Running") assert.ok(cloud.requests.length < 100);
  Object.assign(server ?? {}, { isLocked: true });
  for (const verb of ["stop", "remove"] as const)
    await assertRefused(driver[verb](signal), "provider-permission", /is locked at OpenStack/u);
  Object.assign(server ?? {}, { isLocked: false });
  cloud.fault(actions, refused(refusedByNova(409, "Cannot 'stop' instance 42 while it is in vm_state resized")));
  await assertRefused(driver.stop(signal), "provider-invalid", /not do this with the instance as it is now/u);
});

test("a removal that fails is asked for again; a group that is still in use is waited for", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  const driver = await scene.running(everything);
  cloud.nova.failingRemovals = 2;
  cloud.fault(
    /^DELETE network\/security-groups/u,
    refused(refusedByNeutron(409, "SecurityGroupInUse", "Security Group 42 in use.")),
  );
  await driver.remove(signal);
  assert.deepEqual(cloud.resources, []);
});

test("all is tried when something cannot be removed, and the first error is told", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  const driver = await scene.running(everything);
  cloud.fault(
    /^DELETE network\/floatingips/u,
    refused(refusedByNeutron(403, "PolicyNotAuthorized", "rule:delete_floatingip is disallowed by policy")),
  );
  await assertRefused(driver.remove(signal), "provider-permission", /may not do this/u);
  assert.deepEqual(cloud.resources, [`floating IP ${[...cloud.neutron.floatingIps.values()][0]?.floating_ip_address}`]);
  await (await scene.reopened(driver)).remove(signal);
  assert.deepEqual(cloud.resources, []);
});

test("what answers in Keystone's place is told; a token that ends within a request is no end", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  cloud.fault(/^POST identity/u, refused({ status: 200, body: "<html>Sign in</html>" }));
  await assertRefused((await scene.configured()).preCreateCheck(signal), "provider-error", /gives no token$/u);
  cloud.fault(/^POST identity/u, refused(refusedByKeystone(503, "Service Unavailable", "Please wait")), { kind: "lost" });
  const driver = await scene.checked();
  cloud.fault(servers, refused(refusedByKeystone(401, "Unauthorized", "The request you have made requires authentication.")));
  await driver.create(signal);
  assert.equal(cloud.nova.servers.size, 1);
});
