/** What users and Google do wrong: each is one sentence with a way out, and nothing is left. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { FlagValue } from "../../../src/driver-kit/create-flag.ts";
import { driverModule } from "../../../src/drivers/google/index.ts";
import type { ErrorCode } from "../../../src/errors/codes.ts";
import { isMachineError } from "../../../src/errors/machine-error.ts";
import { fakeProject } from "./catalogue.ts";
import type { FakeCompute } from "./fake-compute.ts";
import { bareComputer, configOf } from "../driver-scene.ts";
import { openScene } from "./scene.ts";

type Flags = Readonly<Record<string, FlagValue>>;

const is =
  (code: ErrorCode, sentence: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(isMachineError(error, code), String(error));
    assert.match(error.message, sentence);
    assert.notEqual(error.hint ?? "", "");
    return true;
  };

describe("flags that are refused", () => {
  for (const [flags, sentence] of [
    [{ "google-bulk-insert": true }, /--google-bulk-insert is not supported/u],
    [{ "google-region": "europe-west1" }, /--google-region is not supported/u],
    [{ "google-location-zone": ["a"] }, /--google-location-zone is not supported/u],
    [{ "google-username": "root" }, /let root in by no key/u],
    [{ "google-label": ["team"] }, /has no value/u],
    [{ "google-label": ["Team:a"] }, /takes no label/u],
    [{ "google-vm-labels": "a,b,c" }, /a key without a value/u],
    [{ "google-metadata": ["x"] }, /no pair/u],
    [{ "google-accelerator": "gpu" }, /not understood/u],
    [{ "google-accelerator": "count=1,type=t", "google-maintenance-policy": "MIGRATE" }, /cannot migrate/u],
    [{ "google-maintenance-policy": "WAIT" }, /is not one of/u],
    [{ "google-open-cidr": ["here"] }, /no range/u],
    [{ "google-open-cidr": ["10.0.0.0/8"], "google-skip-firewall-create": true }, /exclude each other/u],
    [{ "google-address": "1.2.3.4", "google-use-internal-ip-only": true }, /exclude each other/u],
    [{ "google-disk-size": 0 }, /is too small: 1 is the least/u],
    [{ "google-disk-kms-key": "mine" }, /is not a key as/u],
  ] as const satisfies readonly (readonly [Flags, RegExp])[]) {
    test(JSON.stringify(flags), async () => {
      await using scene = await openScene();
      const error = await scene.configured(flags).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      assert.ok(isMachineError(error, "driver-options"));
      assert.match(error.message, sentence);
    });
  }
});

describe("what the check finds before anything is made", () => {
  const cases: readonly (readonly [string, Flags, ErrorCode, RegExp, ((cloud: FakeCompute) => void)?])[] = [
    ["project", { "google-project": "other-1" }, "provider-not-found", /^Project with ID "other-1" not found/u],
    ["no project", { "google-project": "" }, "driver-options", /^no Google Cloud Project name specified/u],
    ["zone", { "google-zone": "mars-1-a" }, "provider-not-found", /no zone "mars-1-a"/u],
    ["machine type", { "google-machine-type": "huge" }, "provider-not-found", /no machine type "huge"/u],
    ["image", { "google-machine-image": "plan9" }, "provider-not-found", /no image "plan9"/u],
    [
      "architecture",
      { "google-machine-type": "c4a-standard-1", "google-machine-image": "debian-cloud/global/images/debian-13-v3" },
      "driver-options",
      /is for X86_64/u,
    ],
    [
      "disk size",
      { "google-machine-image": "rocky-9", "google-disk-size": 15 },
      "driver-options",
      /needs 20 GB, and --google-disk-size gives 15/u,
    ],
    ["disk type", { "google-disk-type": "floppy" }, "provider-not-found", /no disk type "floppy"/u],
    [
      "disk type of the family",
      { "google-machine-type": "c4a-standard-1", "google-disk-type": "pd-ssd" },
      "driver-options",
      /takes no disk of the type pd-ssd/u,
    ],
    ["accelerator", { "google-accelerator": "count=1,type=tpu" }, "provider-not-found", /no accelerators "tpu"/u],
    ["network", { "google-network": "none" }, "provider-not-found", /no network none/u],
    ["custom network", { "google-network": "custom" }, "driver-options", /no subnets of its own accord/u],
    ["subnet", { "google-subnetwork": "none" }, "provider-not-found", /no subnet none/u],
    ["IPv6", { "google-subnetwork": "plain", "google-ipv6": true }, "driver-options", /no external IPv6/u],
    ["address", { "google-address": "none" }, "provider-not-found", /no static address none/u],
    ["used address", { "google-address": "used-ip" }, "provider-exists", /is used by db/u],
    ["user data", { "google-userdata": "/no/such/file" }, "driver-options", /does not exist/u],
    [
      "existing",
      { "google-use-existing": true },
      "provider-not-found",
      /^unable to find instance "web" in zone "us-central1-a"/u,
    ],
    ["taken", {}, "provider-exists", /^instance "web" already exists in zone/u, (cloud) => cloud.addForeign("web")],
    [
      "left disk",
      {},
      "provider-exists",
      /^disk "web-disk" already exists/u,
      (cloud) => void cloud.disks.set("web-disk", { name: "web-disk", id: "1" }),
    ],
    [
      "refused token",
      {},
      "provider-credentials",
      /does not accept the credentials of --google-auth-encoded-json/u,
      (cloud) => cloud.provider.next("GET", { kind: "refused", status: 401, code: "authError" }, 9),
    ],
    [
      "permission",
      {},
      "provider-permission",
      /may not do this in the project acme-123/u,
      (cloud) => cloud.provider.next("GET", { kind: "refused", status: 403, code: "forbidden" }),
    ],
    [
      "API off",
      {},
      "provider-account",
      /has not enabled Compute Engine/u,
      (cloud) => cloud.provider.next("GET", { kind: "refused", status: 403, code: "accessNotConfigured" }),
    ],
    [
      "expired identity",
      {},
      "provider-credentials",
      /^Google gives no token for the credentials/u,
      (cloud) => cloud.provider.next("POST /token", { kind: "refused", status: 400, code: "invalid_grant" }, 9),
    ],
  ];
  for (const [what, flags, code, sentence, prepare] of cases) {
    test(what, async () => {
      await using scene = await openScene();
      prepare?.(scene.cloud);
      const before = scene.cloud.resources;
      await assert.rejects(scene.checked(flags), is(code, sentence));
      assert.deepEqual(scene.cloud.resources, before);
      assert.equal(scene.test.saves(), 0);
    });
  }

  test("a name that Google does not take, with one that it does", async () => {
    await using scene = await openScene({ machineName: "My.Web" });
    await assert.rejects(
      scene.checked(),
      (error) =>
        is("driver-options", /no instance named "My.Web"/u)(error) && /my-web/u.test(String((error as { hint?: string }).hint)),
    );
  });

  test("user data that is too large", async () => {
    await using scene = await openScene();
    const value = `user-data=#!/bin/sh\n#${Array.from({ length: 40_000 }, (_, index) => (index * 7919 * 104_729).toString(36)).join("")}`;
    await assert.rejects(scene.checked({ "google-metadata": [value] }), is("driver-options", /262144/u));
  });

  for (const [what, given] of [
    ["no JSON", "bm90IGpzb24="],
    ["of no kind", '{"type": "mystery"}'],
  ] as const) {
    test(`credentials that are ${what}`, async () => {
      await using scene = await openScene();
      await assert.rejects(
        scene.checked({ "google-auth-encoded-json": given }),
        is("provider-credentials", /holds no credentials of Google/u),
      );
    });
  }

  test("a file of credentials that is not there", async () => {
    const computer = { ...bareComputer, env: { GOOGLE_APPLICATION_CREDENTIALS: "/no/such.json" } };
    await using scene = await openScene({ computer });
    await assert.rejects(
      scene.checked({ "google-auth-encoded-json": "" }),
      is("provider-credentials", /\/no\/such\.json.* does not exist/u),
    );
  });
});

describe("what fails while it is made", () => {
  for (const [code, message, expected, sentence] of [
    ["QUOTA_EXCEEDED", "Quota 'CPUS_ALL_REGIONS' exceeded.", "provider-quota", /quota .*CPUS_ALL_REGIONS/iu],
    ["ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS", "no room", "provider-capacity", /no room for a e2-small in us-central1-a/u],
    ["SERVICE_ACCOUNT_ACCESS_DENIED", "actAs", "provider-permission", /service account/u],
  ] as const) {
    test(`${code}: told by its kind, tried anew the next time, nothing left`, async () => {
      await using scene = await openScene();
      const { cloud, signal } = scene;
      const driver = await scene.checked({ "google-skip-firewall-create": true });
      cloud.operations.failNext("insert", code, message);
      await assert.rejects(driver.create(signal), is(expected, sentence));
      const again = await scene.reopened(driver);
      await again.create(signal);
      assert.equal(cloud.instances.size, 1);
      await again.remove(signal);
      assert.deepEqual(cloud.resources, []);
    });
  }

  for (const trouble of [
    { kind: "lost" },
    { kind: "unheard" },
    { kind: "doubled" },
    { kind: "failed-after", status: 500 },
    { kind: "refused", status: 503 },
    { kind: "refused", status: 429, code: "rateLimitExceeded" },
  ] as const) {
    test(`a request that is ${trouble.kind}${"status" in trouble ? ` with ${trouble.status}` : ""} makes one instance`, async () => {
      await using scene = await openScene();
      const { cloud, signal } = scene;
      const driver = await scene.checked({ "google-open-cidr": ["10.0.0.0/8"] });
      cloud.provider.next(/^POST \S+\/instances$/u, trouble);
      cloud.provider.next("POST /compute/v1/projects/acme-123/global/firewalls", trouble);
      await driver.create(signal);
      assert.deepEqual([cloud.instances.size, cloud.firewalls.size, cloud.disks.size], [1, 1, 1]);
      cloud.provider.next("DELETE", trouble);
      await driver.remove(signal);
      assert.deepEqual(cloud.resources, []);
    });
  }

  test("an instance of the name that another made meanwhile is not touched", async () => {
    await using scene = await openScene();
    const { cloud, signal } = scene;
    const driver = await scene.checked({ "google-skip-firewall-create": true });
    cloud.addForeign("web");
    await assert.rejects(driver.create(signal), is("provider-exists", /was not made by this machine/u));
    await driver.remove(signal);
    assert.equal(cloud.instances.size, 1);
  });

  test("an instance that others removed, or put another in the place of, is gone", async () => {
    await using scene = await openScene();
    const { cloud, signal } = scene;
    const driver = await scene.checked({ "google-skip-firewall-create": true });
    await driver.create(signal);
    cloud.instances.clear();
    cloud.disks.clear();
    await assert.rejects(driver.start(signal), is("provider-not-found", /is gone/u));
    cloud.addForeign("web");
    assert.equal(await driver.getState(signal), "");
    await driver.remove(signal);
    assert.equal(cloud.instances.size, 1);
    assert.deepEqual((await configOf(driver))["Resources"], []);
  });

  test("a preempted one is stopped, and its start tells where there is no room", async () => {
    await using scene = await openScene();
    const { cloud, signal } = scene;
    const driver = await scene.checked({ "google-preemptible": true, "google-skip-firewall-create": true });
    await driver.create(signal);
    const [instance] = cloud.instances.values();
    Object.assign(instance ?? {}, { status: "TERMINATED" });
    assert.equal(await driver.getState(signal), "Stopped");
    cloud.operations.failNext("start", "ZONE_RESOURCE_POOL_EXHAUSTED", "stockout");
    await assert.rejects(driver.start(signal), is("provider-capacity", /no room/u));
    await driver.start(signal);
    assert.equal(await driver.getState(signal), "Running");
  });

  test("metadata that others change meanwhile is not lost", async () => {
    await using scene = await openScene();
    const { cloud, signal } = scene;
    const driver = await scene.checked();
    await driver.create(signal);
    cloud.provider.next(/setMetadata$/u, { kind: "refused", status: 412, code: "conditionNotMet" });
    await driver.withdrawSecrets?.(signal);
    assert.ok(cloud.instances.get("web")?.metadata?.items?.every(({ key }) => key !== "user-data"));
  });

  test("what is stopped in between by the user is found again", async () => {
    await using scene = await openScene();
    const { cloud } = scene;
    const driver = await scene.checked({ "google-skip-firewall-create": true });
    const stop = new AbortController();
    cloud.provider.onRequest = (_method, path) => path.endsWith("/wait") && stop.abort(new Error("Ctrl-C"));
    cloud.operations.polls = 3;
    await assert.rejects(driver.create(stop.signal), /Ctrl-C/u);
    await (await scene.reopened(driver)).remove(scene.signal);
    assert.deepEqual(cloud.resources, []);
  });
});

test("opening, addresses and a URL need no request and no credentials", async () => {
  await using scene = await openScene();
  const stored = { Project: fakeProject, Zone: "us-central1-a", MachineName: "web", IPAddress: "192.0.2.9" };
  const driver = driverModule.open(scene.context, JSON.stringify(stored));
  assert.deepEqual([await driver.getIp(), await driver.getUrl()], ["192.0.2.9", "tcp://192.0.2.9:2376"]);
  assert.deepEqual(scene.cloud.provider.requests, []);
});
