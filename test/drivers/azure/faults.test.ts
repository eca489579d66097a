/** A real cloud's bad days: answers that are late, lost or doubled, refusals of each kind, and what is left after them. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { driverModule } from "../../../src/drivers/azure/index.ts";
import type { ErrorCode } from "../../../src/errors/codes.ts";
import { MachineError } from "../../../src/errors/machine-error.ts";
import { testDriverContext } from "../../../src/testing/driver-context.ts";
import { FakeProvider } from "../../../src/testing/fake-provider.ts";
import { optionsOf } from "../../../src/testing/flag-values.ts";
import { TestAuthority } from "../../../src/tls/testing/pki.ts";
import type { Trouble } from "../../../src/testing/vices.ts";
import type { ArmFailure } from "./arm-entry.ts";
import { subscriptionId } from "./catalogue.ts";
import { FakeAzure } from "./fake-azure.ts";
import { application } from "./token-service.ts";
import { refused } from "./refused.ts";
import { bareComputer, configOf } from "../driver-scene.ts";
import { inScene, sshKey } from "./scene.ts";

const machinePut = /^PUT .*\/virtualMachines\/web$/u;

describe("one machine, whatever happens to the request for it", () => {
  const troubles: Readonly<Record<string, Trouble>> = {
    "its answer is lost": { kind: "lost" },
    "it is never heard": { kind: "unheard" },
    "it is heard twice": { kind: "doubled" },
    "500, and nothing was done": { kind: "refused", status: 500, code: "InternalServerError" },
    "500, and all was done": { kind: "failed-after", status: 500 },
    "too many requests": { kind: "refused", status: 429, code: "TooManyRequests", headers: { "retry-after": "7" } },
    busy: { kind: "refused", status: 409, code: "AnotherOperationInProgress" },
  };
  for (const [what, trouble] of Object.entries(troubles))
    for (const request of [machinePut, /^PUT .*-nic$/u, /^PUT .*-vnet$/u])
      test(`${what}: ${request.source}`, async () => {
        await inScene(async ({ azure, provider, checked, signal }) => {
          const driver = await checked();
          provider.next(request, trouble);
          await driver.create(signal);
          assert.equal(azure.list().filter(({ kind }) => kind === "instance").length, 1);
          assert.equal((await configOf(driver))["VmId"], azure.one("instance").vmId);
          await driver.remove(signal);
          assert.deepEqual(azure.list(), []);
        });
      });

  test("removed while it is being made by a process that was cut off", async () => {
    await inScene(async ({ azure, provider, checked, reopened, signal }) => {
      const driver = await checked();
      const release = provider.hold(machinePut);
      const ended = new AbortController();
      const reached = new Promise<void>((resolve) => {
        provider.onRequest = (method, at) => void (machinePut.test(`${method} ${at}`) && resolve());
      });
      const creating = driver.create(ended.signal);
      await reached;
      ended.abort(new Error("Ctrl-C"));
      await assert.rejects(creating, /Ctrl-C/u);
      release();
      await provider.settled();
      const later = await reopened(driver);
      await later.remove(signal);
      assert.deepEqual(azure.list(), []);
    });
  });

  test("a repeated create of one that failed to start makes it anew, once", async () => {
    await inScene(async ({ azure, checked, reopened, signal }) => {
      const driver = await checked();
      azure.machineFailures = [{ code: "AllocationFailed", message: "Allocation failed." }];
      azure.reservations = 3;
      await assert.rejects(driver.create(signal), refused("provider-capacity", /no room for a Standard_B2s_v2 in westus/u));
      assert.equal(azure.one("instance").state, "Failed");
      const later = await reopened(driver);
      await later.create(signal);
      assert.equal(azure.one("instance").state, "Succeeded");
      await later.remove(signal);
      assert.deepEqual(azure.list(), []);
    });
  });

  test("an interface that Azure keeps reserved after a failure goes in the end", async () => {
    await inScene(async ({ azure, checked, signal }) => {
      const driver = await checked();
      azure.machineFailures = [{ code: "OverconstrainedAllocationRequest", message: "No." }];
      await assert.rejects(driver.create(signal), refused("provider-capacity", /no room/u));
      // Nothing of the machine is left but the interface, and that is not to be had yet.
      azure.entries.delete(azure.one("instance").id.toLowerCase());
      azure.reservations = 10;
      await driver.remove(signal);
      assert.deepEqual(azure.list(), []);
    });
  });
});

describe("operations that fail say why, by kind", () => {
  const quota = "Operation could not be completed as it results in exceeding approved standardBsv2Family Cores quota.";
  const nested = JSON.stringify({ error: { code: "SkuNotAvailable", message: "Not here." } });
  const cases: readonly (readonly [ArmFailure, ErrorCode, RegExp])[] = [
    [{ code: "SkuNotAvailable", message: "x" }, "provider-capacity", /no Standard_B2s_v2 in westus now/u],
    [{ code: "ZonalAllocationFailed", message: "x" }, "provider-capacity", /no room/u],
    [{ code: "DeploymentFailed", message: nested }, "provider-capacity", /no Standard_B2s_v2/u],
    [{ code: "OperationNotAllowed", message: quota }, "provider-quota", /quota/u],
    [{ code: "OSProvisioningTimedOut", message: "x" }, "provider-invalid", /no working agent/u],
    [{ code: "RequestDisallowedByPolicy", message: "x" }, "provider-permission", /policy/u],
    [{ code: "BrandNewTrouble", message: "Something" }, "provider-error", /BrandNewTrouble/u],
  ];
  for (const [failure, code, pattern] of cases)
    test(failure.code + (failure.message === "x" ? "" : ` ${code}`), async () => {
      await inScene(async ({ azure, checked, signal }) => {
        const driver = await checked();
        azure.machineFailures = [failure];
        await assert.rejects(driver.create(signal), refused(code, pattern));
        await driver.remove(signal);
        assert.deepEqual(azure.list(), []);
      });
    });

  test("start without room", async () => {
    await inScene(async ({ azure, checked, signal }) => {
      const driver = await checked();
      await driver.create(signal);
      await driver.stop(signal);
      azure.startFailures = [{ code: "AllocationFailed", message: "x" }];
      await assert.rejects(driver.start(signal), refused("provider-capacity", /no room/u));
      assert.equal(await driver.getState(signal), "Stopped");
      await driver.start(signal);
      assert.equal(await driver.getState(signal), "Running");
    });
  });
});

test("a token that is not accepted, and places with none, are told with where was looked", async () => {
  await inScene(async ({ provider, checked, signal }) => {
    const driver = await checked();
    const other: Trouble = { kind: "refused", status: 401, code: "ExpiredAuthenticationToken" };
    provider.next(/^GET/u, other, 2);
    await assert.rejects(driver.create(signal), refused("provider-credentials", /managed identity/u));
  });
  const endpoint = process.env["IDENTITY_ENDPOINT"];
  process.env["AZURE_TOKEN_CREDENTIALS"] = "EnvironmentCredential";
  try {
    await inScene(async ({ checked }) => {
      await assert.rejects(
        checked(),
        refused("provider-credentials", /looked at: --azure-client-id with --azure-client-secret, .*az login/u),
      );
    });
  } finally {
    Object.assign(process.env, { AZURE_TOKEN_CREDENTIALS: "ManagedIdentityCredential", IDENTITY_ENDPOINT: endpoint });
  }
});

test("an application's secret goes to its tenant's authority, which the subscription tells, and into no error", async () => {
  const secrets: string[] = [];
  await inScene(
    async ({ provider, checked }) => {
      await assert.rejects(checked({ "azure-client-id": "app", "azure-client-secret": "s3cret" }), (error: unknown) => {
        assert.ok(error instanceof MachineError);
        assert.ok(["provider-unreachable", "provider-credentials"].includes(error.code), error.code);
        assert.ok(!`${error.message}${error.hint}`.includes("s3cret"));
        return true;
      });
      // The question for the tenant bears no token.
      assert.match(provider.requests[0] ?? "", /^GET \/subscriptions\/[^/]+\?api-version/u);
      assert.ok(secrets.includes("s3cret"));
    },
    {
      computer: { ...bareComputer, env: { AZURE_AUTHORITY_HOST: "https://127.0.0.1:9" } },
      secret: (value) => void secrets.push(value),
    },
  );
});

describe("an application's secret, over https", () => {
  const trusted = getCACertificates("default");
  let authority: TestAuthority;
  before(async () => {
    authority = await TestAuthority.create();
    setDefaultCACertificates([...trusted, authority.ca]);
  });
  after(() => setDefaultCACertificates(trusted));

  const secrets: Readonly<Record<string, readonly [id: string, secret: string, pattern: RegExp | undefined]>> = {
    right: [application.id, application.secret, undefined],
    wrong: [application.id, "another", /client secret is wrong/u],
    expired: [application.id, application.expired, /client secret has expired/u],
    "of an application that the tenant does not know": ["11111111-1111-4111-8111-111111111111", "x", /knows no application/u],
  };
  for (const [what, [id, secret, pattern]] of Object.entries(secrets))
    test(what, async () => {
      const identity = await authority.issueServer("127.0.0.1");
      await using provider = await FakeProvider.start({ api: new FakeAzure(), identity });
      const env = { AZURE_AUTHORITY_HOST: provider.url };
      await using scene = await testDriverContext("web", { computer: { ...bareComputer, env }, ...sshKey });
      const driver = driverModule.open(scene.context, undefined);
      const flags = { "azure-subscription-id": subscriptionId, "azure-endpoint": provider.url };
      const given = { ...flags, "azure-client-id": id, "azure-client-secret": secret };
      await driver.setConfigFromFlags(optionsOf(driverModule, given));
      const checking = driver.preCreateCheck(AbortSignal.timeout(60_000));
      if (pattern === undefined) await checking;
      else await assert.rejects(checking, refused("provider-credentials", pattern));
      assert.ok(!JSON.stringify(scene.events).includes(secret) || secret.length === 1);
    });
});

test("a machine that others removed, or made again, is gone; it can be removed", async () => {
  await inScene(async ({ azure, checked, reopened, signal }) => {
    const driver = await checked();
    await driver.create(signal);
    const { id, body } = azure.one("instance");
    azure.entries.delete(id.toLowerCase());
    assert.equal(await (await reopened(driver)).getState(signal), "");
    for (const verb of ["start", "stop", "kill", "restart", "create"] as const)
      await assert.rejects(
        (await reopened(driver))[verb](signal),
        refused("provider-not-found", /"web" is gone from Azure/u),
        verb,
      );
    const theirs = azure.add(id, { ...body, tags: { "docker-machine-create-id": "another" } });
    theirs.power = "running";
    await assert.rejects(driver.stop(signal), refused("provider-not-found", /is gone/u));
    // Another's machine uses our interface now: it stays, and so does that.
    await driver.remove(signal).catch(() => {});
    assert.equal(azure.entry(id), theirs);
    azure.entries.delete(id.toLowerCase());
    await driver.remove(signal);
    assert.deepEqual(azure.list(), []);
  });
});

test("what bears the mark and no ledger knows is found, and removed, though lists be late", async () => {
  await inScene(async ({ azure, checked, context, signal }) => {
    const driver = await checked();
    await driver.create(signal);
    const config = await configOf(driver);
    const Resources = (config["Resources"] as string[]).filter((note) => !note.startsWith("public-address="));
    const forgetful = driverModule.open(context, JSON.stringify({ ...config, Resources }));
    azure.lateLists = 1;
    await forgetful.findResources?.(signal);
    const found = (await forgetful.findResources?.(signal)) ?? [];
    assert.ok(found.some(({ kind }) => kind === "public-address"));
    await forgetful.remove(signal);
    assert.deepEqual(azure.list(), []);
  });
});

test("spare capacity that was taken back is a stopped machine, which can be started", async () => {
  await inScene(async ({ azure, checked, signal }) => {
    const driver = await checked({ "azure-size": "Standard_D2s_v5", "azure-spot": true });
    await driver.create(signal);
    azure.one("instance").power = "deallocated";
    assert.equal(await driver.getState(signal), "Stopped");
    await driver.start(signal);
    assert.equal(await driver.getState(signal), "Running");
  });
});

test("an address that changed while the machine was stopped is followed", async () => {
  await inScene(async ({ azure, checked, signal }) => {
    const driver = await checked();
    await driver.create(signal);
    await driver.locate?.(signal);
    await driver.stop(signal);
    azure.one("public-address").address = "198.51.100.7";
    await driver.start(signal);
    await driver.locate?.(signal);
    assert.equal(await driver.getUrl(), "tcp://198.51.100.7:2376");
  });
});
