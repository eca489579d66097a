/** The fake by itself: what a driver's tests rely on. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { fakeProject } from "./catalogue.ts";
import { FakeCompute } from "./fake-compute.ts";
import { isKnownRequest, problemsOf } from "./vendor-schema.ts";

interface Answer {
  readonly status: number;
  readonly body: {
    readonly name: string;
    readonly status: string;
    readonly error?: { readonly message: string; readonly errors: readonly { readonly reason: string; readonly code: string }[] };
  };
}

async function ask(
  cloud: FakeCompute,
  method: string,
  path: string,
  body?: object,
  requestId = randomUUID() as string,
): Promise<Answer> {
  const query = method === "GET" ? "" : `?requestId=${requestId}`;
  const answer = await fetch(`${cloud.provider.url}/compute/v1/projects/${fakeProject}${path}${query}`, {
    method,
    headers: { authorization: `Bearer ${cloud.token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Answer["body"] };
}

const zone = "/zones/us-central1-a";
const wish = {
  name: "a",
  machineType: "zones/us-central1-a/machineTypes/e2-small",
  disks: [
    {
      boot: true,
      autoDelete: true,
      initializeParams: { diskName: "a-disk", sourceImage: "projects/debian-cloud/global/images/debian-13-v3", diskSizeGb: "10" },
    },
  ],
  networkInterfaces: [{ network: "projects/acme-123/global/networks/default", accessConfigs: [{ type: "ONE_TO_ONE_NAT" }] }],
};

test("an operation takes its time; its request is known again by its id", async () => {
  await using cloud = await FakeCompute.start();
  cloud.operations.polls = 2;
  const id = randomUUID();
  const first = await ask(cloud, "POST", `${zone}/instances`, wish, id);
  assert.equal(first.body.status, "RUNNING");
  assert.equal((await ask(cloud, "GET", `${zone}/instances/a`)).body.status, "PROVISIONING");
  const again = await ask(cloud, "POST", `${zone}/instances`, wish, id);
  assert.equal(again.body.name, first.body.name);
  assert.equal((await ask(cloud, "POST", `${zone}/operations/${first.body.name}/wait`)).body.status, "DONE");
  assert.equal((await ask(cloud, "GET", `${zone}/instances/a`)).body.status, "RUNNING");
  const other = await ask(cloud, "POST", `${zone}/instances`, wish);
  assert.deepEqual([other.status, other.body.error?.errors[0]?.reason], [409, "alreadyExists"]);
});

test("an operation that fails leaves nothing", async () => {
  await using cloud = await FakeCompute.start();
  cloud.operations.failNext("insert", "QUOTA_EXCEEDED", "no more");
  const { name } = (await ask(cloud, "POST", `${zone}/instances`, wish)).body;
  const done = await ask(cloud, "POST", `${zone}/operations/${name}/wait`);
  assert.equal(done.body.error?.errors[0]?.code, "QUOTA_EXCEEDED");
  assert.deepEqual(cloud.resources, []);
});

test("unknown fields, wrong types and names are refused", async () => {
  await using cloud = await FakeCompute.start();
  for (const [change, message] of [
    [{ colour: "blue" }, /unknown name "colour"/u],
    [{ labels: "x" }, /no object|labels/u],
    [{ tags: { items: "x" } }, /no list/u],
    [{ name: "A" }, /resource\.name/u],
    [{ machineType: "x" }, /machineType/u],
    [{ disks: [] }, /disks/u],
  ] as const) {
    const { status, body } = await ask(cloud, "POST", `${zone}/instances`, { ...wish, ...change });
    assert.equal(status, 400, JSON.stringify(change));
    assert.match(body.error?.message ?? "", message);
  }
  assert.equal((await ask(cloud, "POST", `${zone}/instances`, wish, "")).status, 400);
  assert.deepEqual(cloud.resources, []);
});

test("a disk in use stays, and goes with its instance; a stale fingerprint is refused; a bad token too", async () => {
  await using cloud = await FakeCompute.start();
  cloud.operations.polls = 0;
  await ask(cloud, "POST", `${zone}/instances`, wish);
  assert.equal(
    (await ask(cloud, "DELETE", `${zone}/disks/a-disk`)).body.error?.errors[0]?.reason,
    "resourceInUseByAnotherResource",
  );
  const stale = await ask(cloud, "POST", `${zone}/instances/a/setMetadata`, { fingerprint: "old", items: [] });
  assert.equal(stale.status, 412);
  await ask(cloud, "DELETE", `${zone}/instances/a`);
  assert.deepEqual(cloud.resources, []);
  cloud.token = "another";
  assert.equal((await fetch(`${cloud.provider.url}/compute/v1/projects/${fakeProject}`)).status, 401);
});

test("the vendor's description knows what is there, and nothing else", () => {
  const project = "/compute/v1/projects/p";
  for (const [method, path, isKnown] of [
    ["POST", "/zones/z/instances", true],
    ["POST", "/zones/z/operations/o/wait", true],
    ["GET", "/zones/z/instances/i/getGuestAttributes", true],
    ["PATCH", "/global/firewalls/f", true],
    ["PUT", "/zones/z/instances", false],
    ["POST", "/zones/z/instances/i/explode", false],
  ] as const)
    assert.equal(isKnownRequest(method, project + path), isKnown, path);
  assert.deepEqual(problemsOf("Instance", { name: "a", scheduling: { provisioningModel: "SPOT" } }), []);
  assert.equal(problemsOf("Instance", { disks: [{ initializeParams: { diskSizeGb: 10 } }] }).length, 1);
});
