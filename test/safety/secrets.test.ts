/**
 * Secrets that a driver is given: never in config.json, by reference or in a private file apart from it, masked where a
 * record is shown, given anew without the provider; and a machine that runs needs none of them.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import * as path from "node:path";
import { describe, test } from "node:test";
import { renderInspect } from "../../src/cli/output/inspect-text.ts";
import { driverOptions } from "../../src/driver-kit/create-flag.ts";
import type { DriverModule } from "../../src/driver-kit/driver.ts";
import { createMachine } from "../../src/machine/create.ts";
import { openHost } from "../../src/machine/host/open-host.ts";
import { changeState } from "../../src/machine/lifecycle.ts";
import { listMachines } from "../../src/machine/list.ts";
import type { MachineContext } from "../../src/machine/machine-context.ts";
import { removeMachine } from "../../src/machine/remove.ts";
import { revealRecord, secretNames, setSecrets } from "../../src/machine/secrets/set-secrets.ts";
import { temporaryFolder } from "../../src/system/testing/folder.ts";
import { driverModule } from "./fake-cloud-driver.ts";
import { FakeProvider } from "../../src/testing/fake-provider.ts";
import { safetyContext } from "./safety-context.ts";

const canary = "canary-7f3a9c";
const signal = AbortSignal.timeout(60_000);

/** As a driver that is a program of others: its flags are not known, and nothing but its name tells what is secret. */
const pluginLike: DriverModule = { ...driverModule, flags: [], capabilities: { ...driverModule.capabilities, opaque: true } };

class Site implements AsyncDisposable {
  readonly cloud: FakeProvider;
  readonly storePath = path.join(temporaryFolder(), "store");
  readonly #module: DriverModule;

  private constructor(cloud: FakeProvider, module: DriverModule) {
    this.cloud = cloud;
    this.#module = module;
    cloud.token = canary;
  }

  static async open(module: DriverModule): Promise<Site> {
    return new Site(await FakeProvider.start(), module);
  }

  /** A new run of the program, with these variables besides the usual ones. */
  context(env: Readonly<Record<string, string>> = {}): MachineContext {
    return safetyContext(this.storePath, { env: { ...process.env, ...env }, findDriver: async () => this.#module });
  }

  async create(token: string, env?: Readonly<Record<string, string>>, engineEnv: readonly string[] = []): Promise<void> {
    const options = driverOptions({
      "fakecloud-endpoint": this.cloud.url,
      "fakecloud-token": token,
      "tls-key-type": "ecdsa",
      "engine-env": engineEnv,
    });
    await createMachine(this.context(env), { name: "web", driverName: "fakecloud", options }, signal);
  }

  text(file: string): string {
    return readFileSync(path.join(this.storePath, "machines/web", file), "utf8");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cloud[Symbol.asyncDispose]();
  }
}

test("a credential in the engine's environment stands apart, and the engine gets it in later runs too", async () => {
  await using site = await Site.open(driverModule);
  const engineEnv = ["LOG_TOKEN=engine-canary", "HTTP_PROXY=http://u:proxy-canary@p:1", "PLAIN=yes"];
  await site.create(canary, undefined, engineEnv);
  assert.doesNotMatch(site.text("config.json"), /engine-canary|proxy-canary/u);
  assert.match(site.text("config.json"), /"PLAIN=yes"/u);
  for (const verb of ["stop", "start"] as const) await changeState(site.context(), "web", verb, signal);
  await setSecrets(site.context(), "web", new Map([["fakecloud-token", canary]]), signal);
  await using host = await openHost(site.context(), "web");
  assert.deepEqual(await host.engineEnvironment(), engineEnv);
  await setSecrets(site.context(), "web", new Map([["engine-env.LOG_TOKEN", "renewed"]]), signal);
  await using again = await openHost(site.context(), "web");
  assert.equal((await again.engineEnvironment())[0], "LOG_TOKEN=renewed");
  assert.match(await revealRecord(site.context(), "web", site.text("config.json")), /LOG_TOKEN=renewed/u);
});

for (const [kind, module] of [
  ["a driver of ours", driverModule],
  ["a plugin", pluginLike],
] as const) {
  describe(`the token of ${kind}`, () => {
    test("given as it is, stands in a private file and works in the next run", async () => {
      await using site = await Site.open(module);
      await site.create(canary);
      assert.doesNotMatch(site.text("config.json"), new RegExp(canary, "u"));
      assert.match(site.text("config.json"), /"Token": "\[secret:fakecloud-token\]"/u);
      assert.match(site.text("secrets.json"), new RegExp(canary, "u"));
      assert.equal(statSync(path.join(site.storePath, "machines/web/secrets.json")).mode & 0o777, 0o600);
      await changeState(site.context(), "web", "restart", signal);
      assert.doesNotMatch(site.text("config.json"), new RegExp(canary, "u"));
      await removeMachine(site.context(), { name: "web", force: false, restore: false }, signal);
      assert.equal(site.cloud.resources.all.size, 0);
    });

    test("given by reference, is nowhere in the store", async () => {
      await using site = await Site.open(module);
      await site.create("env:CLOUD_TOKEN", { CLOUD_TOKEN: canary });
      for (const file of ["config.json", "secrets.json"]) assert.doesNotMatch(site.text(file), new RegExp(canary, "u"), file);
      await changeState(site.context({ CLOUD_TOKEN: canary }), "web", "restart", signal);
      await assert.rejects(changeState(site.context(), "web", "restart", signal), {
        code: "secret-unavailable",
        message: "The secret env:CLOUD_TOKEN is not set",
      });
    });

    test("is masked where the record is shown, and shown where that is asked for", async () => {
      await using site = await Site.open(module);
      await site.create("env:CLOUD_TOKEN", { CLOUD_TOKEN: canary });
      const stored = await site.context().store.loadText("web");
      assert.match(await renderInspect(stored, "", "masked"), /"Token": "\*{8}"/u);
      assert.equal(await renderInspect(stored, "{{.Driver.Token}}", "masked"), "********");
      const context = site.context({ CLOUD_TOKEN: canary });
      assert.equal(await renderInspect(await revealRecord(context, "web", stored), "{{.Driver.Token}}", "shown"), canary);
      assert.equal(context.redactor.redact(canary), canary, "what is asked for is printed");
    });

    test("is given anew, as a value or as another reference", async () => {
      await using site = await Site.open(module);
      await site.create(canary);
      site.cloud.token = "canary-second";
      await assert.rejects(changeState(site.context(), "web", "restart", signal), {
        message: /^The fake cloud does not accept the token/u,
      });
      await setSecrets(site.context(), "web", new Map([["fakecloud-token", "canary-second"]]), signal);
      await changeState(site.context(), "web", "restart", signal);
      await setSecrets(site.context(), "web", new Map([["Token", "cmd:echo canary-second | cat"]]), signal);
      await changeState(site.context(), "web", "restart", signal);
      for (const file of ["config.json", "secrets.json"]) assert.doesNotMatch(site.text(file), /"value"/u, file);
      await assert.rejects(setSecrets(site.context(), "web", new Map([["token", "env:NO_SUCH_VARIABLE"]]), signal), {
        code: "secret-unavailable",
      });
      await changeState(site.context(), "web", "restart", signal);
    });
  });
}

test("a machine that runs needs no secret to tell where it is", async () => {
  await using site = await Site.open(driverModule);
  await site.create("env:CLOUD_TOKEN", { CLOUD_TOKEN: canary });
  await using host = await openHost(site.context(), "web");
  assert.match(await host.driver.getIp(), /^192\.0\.2\./u);
  const [listed] = await listMachines(site.context(), { timeoutMs: 10_000 }, signal);
  assert.deepEqual([listed?.state, listed?.error], ["Error", "The secret env:CLOUD_TOKEN is not set"], "its provider does");
});

test("secrets that 0.16.2 left in config.json stay there until they are given anew", async () => {
  await using site = await Site.open(driverModule);
  await site.create(canary, { MACHINE_COMPAT: "0.16" });
  assert.match(site.text("config.json"), new RegExp(`"Token": "${canary}"`, "u"));
  assert.equal(existsSync(path.join(site.storePath, "machines/web/secrets.json")), false);
  await changeState(site.context(), "web", "restart", signal);
  assert.match(site.text("config.json"), new RegExp(`"Token": "${canary}"`, "u"), "0.16.2 may still be in use");
  assert.match(await renderInspect(site.text("config.json"), "", "masked"), /"Token": "\*{8}"/u);

  assert.deepEqual(await secretNames(site.context(), "web"), ["Token"]);
  await setSecrets(site.context(), "web", new Map([["fakecloud-token", canary]]), signal);
  assert.doesNotMatch(site.text("config.json"), new RegExp(canary, "u"));
  await changeState(site.context(), "web", "restart", signal);
  await setSecrets(site.context({ MACHINE_COMPAT: "0.16" }), "web", new Map([["fakecloud-token", canary]]), signal);
  assert.match(site.text("config.json"), new RegExp(`"Token": "${canary}"`, "u"), "and back");
  assert.equal(existsSync(path.join(site.storePath, "machines/web/secrets.json")), false);
});

test("what is no secret of the machine is refused by name", async () => {
  await using site = await Site.open(driverModule);
  await site.create(canary);
  await assert.rejects(setSecrets(site.context(), "web", new Map([["fakecloud-region", "eu"]]), signal), {
    code: "usage",
    message: '"fakecloud-region" is not a secret of "web"',
    hint: "It has: fakecloud-token.",
  });
});
