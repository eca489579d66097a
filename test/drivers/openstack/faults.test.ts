/** Answers that are late, lost or doubled, and what is left after them: nothing is made twice, nothing is lost. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { driverModule } from "../../../src/drivers/openstack/index.ts";
import { generateKeyPair } from "../../../src/ssh/keys.ts";
import { broken, refusedByNeutron, refusedByNova } from "./answers.ts";
import { describeOneInstance } from "../one-instance.ts";
import type { Fault } from "../planned-faults.ts";
import { refused, type RefusedAnswer } from "./fake-openstack.ts";
import { account } from "./fake-keystone.ts";
import { assertRefused } from "../driver-scene.ts";
import { everything, openScene, type Scene } from "./scene.ts";

const servers = /^POST compute\/servers$/u;

describeOneInstance({
  module: driverModule,
  open: openScene,
  requests: { create: servers, list: /^GET compute\/servers\/detail$/u, key: /^POST compute\/os-keypairs$/u },
  faults: {
    "its answer is lost": [{ kind: "lost" }],
    "it is never heard: the network is cut": [{ kind: "unheard" }],
    "it is heard twice": [{ kind: "doubled" }],
    "its answer is lost, and lists show the server late": [{ kind: "hidden", lists: 2, lost: true }],
    "500, and nothing was done": [refused(broken)],
    "500, and all was done": [{ kind: "refused", answer: broken, done: true }],
    "a proxy's 503": [
      refused({ status: 503, body: "<html><head><title>503</title></head><body>No server is available</body></html>" }),
    ],
    "too many requests": [refused({ ...refusedByNova(413, "This request was rate-limited."), headers: { "retry-after": "7" } })],
  },
  idField: "MachineId",
  // A second one may be on its way out.
  instances: ({ nova }) => [...nova.servers.values()].filter(({ task }) => task !== "deleting").map(({ id }) => id),
  keys: ({ nova }) => nova.keyPairs.size,
  keyKind: "key-pair",
  addUnmarked: ({ nova }) => void nova.addServer("web", { "docker-machine-create-id": "undefined" }),
  settled,
});

/** Until what is on its way out is gone. */
async function settled({ cloud, signal }: Scene): Promise<void> {
  for (let round = 0; round < 3; round += 1)
    for (const id of cloud.nova.servers.keys()) await fetch(`${cloud.url}/compute/v2.1/servers/detail?name=${id}`, { signal });
  const headers = { "x-auth-token": await tokenFor(cloud.authUrl) };
  for (let round = 0; round < 3; round += 1) await fetch(`${cloud.url}/compute/v2.1/servers/detail`, { headers, signal });
}

async function tokenFor(authUrl: string): Promise<string> {
  const user = { name: account.user, domain: { id: account.domainId }, password: account.password };
  const project = { name: account.project, domain: { id: account.domainId } };
  const auth = { identity: { methods: ["password"], password: { user } }, scope: { project } };
  const response = await fetch(`${authUrl}/v3/auth/tokens`, { method: "POST", body: JSON.stringify({ auth }) });
  return response.headers.get("x-subject-token") ?? "";
}

test("lost, doubled and broken answers to the other requests make nothing a second time", async () => {
  const requests = [
    "POST compute/os-keypairs",
    "POST network/security-groups",
    "POST network/floatingips",
    "POST volume/volumes",
    "POST compute/servers/[^/]+/os-volume_attachments",
  ];
  const kinds: Readonly<Record<string, Fault<RefusedAnswer>>> = {
    lost: { kind: "lost" },
    unheard: { kind: "unheard" },
    doubled: { kind: "doubled" },
    "500 and done": { kind: "refused", answer: broken, done: true },
  };
  for (const [what, fault] of Object.entries(kinds)) {
    await using scene = await openScene();
    const { cloud, signal } = scene;
    const driver = await scene.checked(everything);
    for (const request of requests) cloud.fault(new RegExp(`^${request}$`, "u"), fault);
    await driver.create(signal);
    const { nova, neutron, cinder } = cloud;
    const counts = [nova.servers.size, nova.keyPairs.size, neutron.groups.size, neutron.floatingIps.size, cinder.volumes.size];
    assert.deepEqual(counts, [1, 1, 2, 1, 1], what);
    await driver.remove(signal);
    assert.deepEqual(cloud.resources, [], what);
  }
});

test("rules of the group that were cut off are made by the next call", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  const driver = await scene.checked(everything);
  const rules = /^POST network\/security-group-rules$/u;
  cloud.fault(
    rules,
    { kind: "lost" },
    refused(refusedByNeutron(409, "OverQuota", "Quota exceeded for resources: ['security_group_rule'].")),
  );
  await assertRefused(driver.create(signal), "provider-quota", /quota does not allow it/u);
  const again = await scene.reopened(driver);
  await again.create(signal);
  const group = [...cloud.neutron.groups.values()].find(({ name }) => name !== "default");
  assert.equal(group?.rules.filter(({ direction }) => direction === "ingress").length, 3);
  await again.remove(signal);
  assert.deepEqual(cloud.resources, []);
});

test("what others have is left alone: of the same name, and of the same name with another's mark", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  cloud.nova.addServer("web");
  cloud.nova.addServer("web", { "docker-machine-create-id": "another" });
  cloud.nova.addServer("webb", { "docker-machine-create-id": "test-web" });
  cloud.neutron.addGroup("docker-machine-web");
  cloud.neutron.addFloatingIp("docker-machine:another");
  cloud.cinder.add("web-data", 1);
  const before = cloud.resources.toSorted();
  cloud.fault(servers, { kind: "lost" });
  const driver = await scene.checked(everything);
  await driver.create(signal);
  assert.equal(cloud.nova.servers.size, 4);
  await driver.remove(signal);
  assert.deepEqual(cloud.resources.toSorted(), before);
});

test("a key pair of our name with another's key is refused, and stays when the machine is removed", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  const driver = await scene.checked();
  const probe = await openScene();
  await probe.running();
  const [name = ""] = probe.cloud.nova.keyPairs.keys();
  await probe[Symbol.asyncDispose]();
  cloud.nova.addKeyPair(name, generateKeyPair("theirs").publicKey);
  await assertRefused(driver.create(signal), "provider-exists", /exists already, with another key$/u);
  assert.equal(cloud.nova.servers.size, 0);
  await driver.remove(signal);
  assert.deepEqual(cloud.resources, [`key pair ${name}`]);
});
