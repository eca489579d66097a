/** A fake Azure and a machine's driver on it, with time that passes by itself. Tokens come through @azure/identity itself. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import type { Driver, DriverContext } from "../../../src/driver-kit/driver.ts";
import type { FlagValue } from "../../../src/driver-kit/create-flag.ts";
import { driverModule } from "../../../src/drivers/azure/index.ts";
import { thisComputer } from "../../../src/system/computer.ts";
import { FakeClock } from "../../../src/system/fake-clock.ts";
import { testDriverContext, type TestContext } from "../../../src/testing/driver-context.ts";
import { FakeProvider } from "../../../src/testing/fake-provider.ts";
import { optionsOf } from "../../../src/testing/flag-values.ts";
import { whileTimePasses } from "../../../src/testing/passing-time.ts";
import { subscriptionId } from "./catalogue.ts";
import { FakeAzure, fakeToken } from "./fake-azure.ts";

/** Nothing of the environment that the tests run in. */
export const bareComputer = { ...thisComputer(), env: {} as Record<string, string>, homeDir: undefined };

let identity: Server | undefined;

/** A managed identity for this process, which is where @azure/identity looks for one. */
async function provideIdentity(): Promise<void> {
  if (identity !== undefined) return;
  identity = createServer((_request, response) => {
    const expires = Math.floor(Date.now() / 1000) + 3_600 * 24;
    response.writeHead(200, { "content-type": "application/json" });
    response.end(
      JSON.stringify({
        access_token: fakeToken,
        expires_on: expires,
        resource: "https://management.azure.com",
        token_type: "Bearer",
      }),
    );
  });
  const server = identity;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  Object.assign(process.env, {
    IDENTITY_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}/msi`,
    IDENTITY_HEADER: "x",
    AZURE_TOKEN_CREDENTIALS: "ManagedIdentityCredential",
  });
}

/** Making RSA keys is slow, and no part of these tests. */
const keyFile = fileURLToPath(new URL("login-key.pub", import.meta.url));
export const sshKey: Pick<DriverContext, "ensureSshKey"> = {
  ensureSshKey: async () => {
    const { readFile } = await import("node:fs/promises");
    return { privateKeyPath: keyFile.replace(/\.pub$/u, ""), publicKey: (await readFile(keyFile, "utf8")).trim() };
  },
};

export interface Cloud extends AsyncDisposable {
  readonly azure: FakeAzure;
  readonly provider: FakeProvider;
  readonly flags: Readonly<Record<string, FlagValue>>;
}

export async function openCloud(step?: (what: string) => Promise<void>): Promise<Cloud> {
  await provideIdentity();
  const azure = new FakeAzure();
  const provider = await FakeProvider.start({ api: azure, ...(step === undefined ? {} : { step }) });
  return {
    azure,
    provider,
    flags: { "azure-subscription-id": subscriptionId, "azure-endpoint": provider.url },
    [Symbol.asyncDispose]: async () => await provider[Symbol.asyncDispose](),
  };
}

export interface Scene extends Cloud {
  readonly test: TestContext;
  readonly context: DriverContext;
  readonly signal: AbortSignal;
  /** A driver that took its flags. */
  configured(flags?: Readonly<Record<string, FlagValue>>): Promise<Driver>;
  /** A driver that took its flags and has checked them. */
  checked(flags?: Readonly<Record<string, FlagValue>>): Promise<Driver>;
  /** The driver of a later command. */
  reopened(driver: Driver): Promise<Driver>;
  lines(): readonly string[];
}

/** Runs `work` while fake time passes. */
export async function inScene<T>(work: (scene: Scene) => Promise<T>, overrides: Partial<DriverContext> = {}): Promise<T> {
  await using cloud = await openCloud();
  const clock = new FakeClock();
  await using test = await testDriverContext("web", { clock, computer: bareComputer, ...sshKey, ...overrides });
  const { context } = test;
  const signal = AbortSignal.timeout(60_000);
  const configured: Scene["configured"] = async (flags = {}) => {
    const driver = driverModule.open(context, undefined);
    await driver.setConfigFromFlags(optionsOf(driverModule, { ...cloud.flags, ...flags }));
    return driver;
  };
  const scene: Scene = {
    ...cloud,
    test,
    context,
    signal,
    configured,
    checked: async (flags) => {
      const driver = await configured(flags);
      await driver.preCreateCheck(signal);
      return driver;
    },
    reopened: async (driver) => driverModule.open(context, await driver.configText()),
    lines: () => test.events.flatMap((event) => (event.type === "log" ? [event.text] : [])),
  };
  return await whileTimePasses(clock, async () => await work(scene));
}

export async function configOf(driver: Driver): Promise<Readonly<Record<string, unknown>>> {
  return JSON.parse(await driver.configText()) as Record<string, unknown>;
}

export function groupPath(rest: string, group = "docker-machine"): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${group}/providers/${rest}`;
}
