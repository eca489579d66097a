/** A real cloud's bad days: answers that are late, lost or doubled, refusals of each kind, and what is left after them. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import * as path from "node:path";
import { describe, test } from "node:test";
import type { Driver } from "../../../src/driver-kit/driver.ts";
import type { FlagValue } from "../../../src/driver-kit/create-flag.ts";
import type { ErrorCode } from "../../../src/errors/codes.ts";
import { generateKeyPair } from "../../../src/ssh/keys.ts";
import { driverModule } from "../../../src/drivers/digitalocean/index.ts";
import { describeOneInstance } from "../one-instance.ts";
import type { Fault } from "../planned-faults.ts";
import type { FakeDigitalOcean, RefusedAnswer } from "./fake-digitalocean.ts";
import { assertRefused } from "../driver-scene.ts";
import { openScene, type Scene } from "./scene.ts";

const droplets = /^POST \/v2\/droplets$/u;
const serverFault: Fault<RefusedAnswer> = {
  kind: "refused",
  status: 500,
  id: "server_error",
  message: "Unexpected server-side error",
};

function refused(
  status: number,
  id: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Fault<RefusedAnswer> {
  return { kind: "refused", status, id, message, headers };
}

describeOneInstance({
  module: driverModule,
  open: openScene,
  requests: { create: droplets, list: /^GET \/v2\/droplets$/u, key: /^POST \/v2\/account\/keys$/u },
  faults: {
    "its answer is lost": [{ kind: "lost" }],
    "it is never heard": [{ kind: "unheard" }],
    "it is heard twice": [{ kind: "doubled" }],
    "its answer is lost, and lists show the droplet late": [{ kind: "hidden", lists: 2, lost: true }],
    "500, and nothing was done": [serverFault],
    "500, and all was done": [{ ...serverFault, done: true }],
    "the burst limit": [refused(429, "too_many_requests", "API Rate limit exceeded.", { "retry-after": "7" })],
  },
  idField: "DropletID",
  instances: ({ droplets: there }) => [...there.keys()].map(String),
  keys: (cloud) => cloud.keys.size,
  keyKind: "ssh-key",
  addUnmarked: (cloud) => void cloud.addForeignDroplet("web", ["docker-machine:undefined", "docker-machine:"]),
});

test("a droplet's tag stays for as long as it may still come", async () => {
  await using scene = await openScene();
  const { clock, cloud, signal } = scene;
  const driver = await scene.checked();
  cloud.fault(droplets, { kind: "hidden", lists: 99, lost: true }, refused(403, "forbidden", "no"));
  await assert.rejects(driver.create(signal), { code: "provider-permission" });
  await driver.remove(signal);
  assert.ok(cloud.tags.has("docker-machine:test-web"));
  await clock.sleep(900_000);
  await driver.remove(signal);
  assert.ok(!cloud.tags.has("docker-machine:test-web"));
});

test("lost answers to the requests for key, tag and firewall make none a second time", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  const driver = await scene.checked({ "digitalocean-open-cidr": ["192.0.2.0/24"] });
  for (const what of ["account/keys", "tags", "firewalls"]) cloud.fault(new RegExp(`^POST /v2/${what}$`, "u"), { kind: "lost" });
  await driver.create(signal);
  assert.deepEqual([cloud.keys.size, cloud.tags.size, cloud.firewalls.size, cloud.droplets.size], [1, 2, 1, 1]);
  await driver.remove(signal);
  assert.deepEqual(cloud.resources, []);
});

test("droplets of others are left alone: of the same name, and of the same name with another's mark", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  const foreign = [
    cloud.addForeignDroplet("web"),
    cloud.addForeignDroplet("web", ["docker-machine:another"]),
    cloud.addForeignDroplet("other", ["docker-machine:test-web"]),
  ];
  cloud.fault(droplets, { kind: "lost" });
  const driver = await scene.checked();
  await driver.create(signal);
  assert.equal(cloud.droplets.size, 4);
  await driver.remove(signal);
  assert.deepEqual(
    [...cloud.droplets.keys()],
    foreign.map(({ id }) => id),
  );
});

describe("what DigitalOcean refuses is one sentence with a way out", () => {
  const refusals: readonly (readonly [Fault<RefusedAnswer>, ErrorCode, RegExp])[] = [
    [refused(403, "forbidden", "You are not authorized"), "provider-permission", /may not do this/u],
    [
      refused(422, "unprocessable_entity", "Size is not available in this region."),
      "provider-capacity",
      /no s-1vcpu-1gb in nyc3/u,
    ],
    [
      refused(422, "unprocessable_entity", "42 are invalid key identifiers for Droplet creation."),
      "provider-not-found",
      /SSH key/u,
    ],
    [
      refused(422, "unprocessable_entity", "You specified an invalid image for Droplet creation."),
      "provider-not-found",
      /the image/u,
    ],
    [refused(422, "unprocessable_entity", "Name is odd."), "provider-invalid", /Name is odd/u],
  ];
  for (const [fault, code, sentence] of refusals) {
    test(code, async () => {
      await using scene = await openScene();
      const driver = await scene.checked();
      scene.cloud.fault(droplets, fault);
      await assertRefused(driver.create(scene.signal), code, sentence);
      assert.equal(scene.cloud.droplets.size, 0);
      await driver.remove(scene.signal);
      assert.deepEqual(scene.cloud.resources, []);
    });
  }

  test("quota", async () => {
    await using scene = await openScene();
    const driver = await scene.checked();
    scene.cloud.dropletLimit = 0;
    await assertRefused(driver.create(scene.signal), "provider-quota", /no room for a further droplet/u);
  });

  test("the hour's limit is waited out up to a bound, then told", async () => {
    await using scene = await openScene();
    const { cloud, clock, signal } = scene;
    const reset = String(Math.floor(Date.now() / 1000) + 90);
    cloud.fault(
      /^GET \/v2\/account$/u,
      refused(429, "too_many_requests", "API Rate limit exceeded.", { "ratelimit-reset": reset }),
    );
    const before = clock.monotonicMs();
    await scene.checked();
    assert.ok(clock.monotonicMs() - before >= 88_000);
    assert.ok(scene.lines().some((line) => /asks to wait for (?:8|9)\d s/u.test(line)));
    const late = String(Math.floor(Date.now() / 1000) + 3_000);
    cloud.fault(
      /^GET \/v2\/account$/u,
      refused(429, "too_many_requests", "API Rate limit exceeded.", { "ratelimit-reset": late }),
    );
    const error = await assertRefused(
      (await scene.configured()).preCreateCheck(signal),
      "provider-rate-limit",
      /no more requests/u,
    );
    assert.match(String(error.hint), /wait for \d{4} s/u);
  });
});

test("a droplet that others removed is gone, and rm succeeds", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  const driver = await running(scene);
  cloud.droplets.clear();
  assert.equal(await driver.getState(signal), "");
  const hint = /docker-machine rm web/u;
  for (const work of [driver.locate, driver.start, driver.stop, driver.create])
    assert.match(
      String(
        (await assertRefused(work?.call(driver, signal) ?? Promise.resolve(), "provider-not-found", /is gone from DigitalOcean/u))
          .hint,
      ),
      hint,
    );
  await driver.remove(signal);
  assert.deepEqual(cloud.resources, []);
});

test("a droplet that DigitalOcean could not make is an error, and is removed", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  cloud.failing = "create";
  const driver = await scene.checked();
  await driver.create(signal);
  while ((await driver.getState(signal)) === "Starting") assert.ok(cloud.requests.length < 50);
  assert.equal(await driver.getState(signal), "Error");
  await driver.remove(signal);
  assert.deepEqual(cloud.resources, []);
});

test("actions: busy is waited for, a lost answer is no second one, an error is told", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  const driver = await running(scene);
  const actions = /\/actions$/u;
  cloud.fault(actions, refused(422, "unprocessable_entity", "Droplet already has a pending event."), { kind: "lost" });
  await driver.stop(signal);
  assert.equal(await driver.getState(signal), "Stopped");
  cloud.failing = "power_on";
  await assertRefused(driver.start(signal), "provider-error", /could not carry out power_on on "web" \(action \d+\)/u);
  cloud.failing = undefined;
  await driver.start(signal);
  await driver.restart(signal);
  assert.equal(await driver.getState(signal), "Running");
  const [droplet] = cloud.droplets.values();
  if (droplet !== undefined) droplet.status = "archive";
  await assertRefused(driver.start(signal), "provider-account", /is archived/u);
});

test("all is tried when something cannot be removed, and the first error is told", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  const driver = await running(scene, { "digitalocean-open-cidr": ["192.0.2.0/24"] });
  cloud.fault(/^DELETE \/v2\/firewalls/u, refused(403, "forbidden", "no"));
  await assertRefused(driver.remove(signal), "provider-permission", /may not do this/u);
  assert.deepEqual([cloud.droplets.size, cloud.keys.size, cloud.tags.size, cloud.firewalls.size], [0, 0, 0, 1]);
  await (await scene.reopened(driver)).remove(signal);
  assert.deepEqual(cloud.resources, []);
});

test("a key of the user's is used and stays", async () => {
  await using scene = await openScene();
  const { cloud, context, signal } = scene;
  const pair = generateKeyPair("mine");
  const { id, fingerprint } = cloud.addKey("mine", pair.publicKey);
  const file = path.join(context.storePath, "id_mine");
  await writeFile(file, pair.privateKey, { mode: 0o600 });
  await writeFile(`${file}.pub`, pair.publicKey);
  const driver = await scene.checked({
    "digitalocean-ssh-key-fingerprint": fingerprint,
    "digitalocean-ssh-key-path": file,
    "digitalocean-ssh-user": "ops",
  });
  await driver.create(signal);
  assert.equal(await driver.getSshKeyPath(), path.join(context.machineDir, "id_mine"));
  assert.deepEqual([...cloud.droplets.values()][0]?.keyIds, [id]);
  const userData = [...cloud.droplets.values()][0]?.userData ?? "";
  assert.ok(userData.includes(pair.publicKey) && userData.includes('"ops"'));
  await driver.remove(signal);
  assert.deepEqual(cloud.resources, ["key mine"]);
});

test("user data joins ours; what cannot be joined is passed on and said", async () => {
  await using scene = await openScene();
  const file = path.join(scene.context.storePath, "data");
  await writeFile(file, "#!/bin/sh\necho hello\n");
  await (await scene.checked({ "digitalocean-userdata": file })).create(scene.signal);
  const [joined] = [...scene.cloud.droplets.values()].map(({ userData }) => userData);
  assert.match(joined ?? "", /^Content-Type: multipart\/mixed/u);
  assert.match(joined ?? "", /echo hello/u);
  await using other = await openScene();
  const ignition = path.join(other.context.storePath, "config.ign");
  await writeFile(ignition, '{"ignition":{"version":"3.4.0"}}');
  const driver = await other.checked({ "digitalocean-userdata": ignition });
  await driver.create(other.signal);
  assert.equal(await driver.hostKeys?.(), "none");
  assert.equal(driver.hostKeysExposed, false);
  assert.ok(other.lines().some((line) => line.includes("is for Ignition")));
});

async function running(scene: Scene, flags: Readonly<Record<string, FlagValue>> = {}): Promise<Driver> {
  const driver = await scene.checked(flags);
  await driver.create(scene.signal);
  await untilRunning(driver, scene.cloud, scene.signal);
  return driver;
}

async function untilRunning(driver: Driver, cloud: FakeDigitalOcean, signal: AbortSignal): Promise<void> {
  while ((await driver.getState(signal)) !== "Running") assert.ok(cloud.requests.length < 100);
}
