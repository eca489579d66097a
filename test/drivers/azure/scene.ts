/** A fake Azure and a machine's driver on it, with time that passes by itself. Tokens come through @azure/identity itself. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import type { DriverContext } from "../../../src/driver-kit/driver.ts";
import { driverModule } from "../../../src/drivers/azure/index.ts";
import { FakeClock } from "../../../src/system/fake-clock.ts";
import { FakeProvider } from "../../../src/testing/fake-provider.ts";
import { whileTimePasses } from "../../../src/testing/passing-time.ts";
import { bareComputer, openDriverScene, type DriverScene, type Flags } from "../driver-scene.ts";
import { subscriptionId } from "./catalogue.ts";
import { FakeAzure, fakeToken } from "./fake-azure.ts";

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
  readonly flags: Flags;
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

export interface Scene extends Cloud, DriverScene {}

/** Runs `work` while fake time passes. */
export async function inScene<T>(work: (scene: Scene) => Promise<T>, overrides: Partial<DriverContext> = {}): Promise<T> {
  await using cloud = await openCloud();
  const clock = new FakeClock();
  const flagsOf = (flags: Flags): Flags => ({ ...cloud.flags, ...flags });
  await using scene = await openDriverScene(driverModule, flagsOf, { clock, computer: bareComputer, ...sshKey, ...overrides });
  return await whileTimePasses(clock, async () => await work({ ...cloud, ...scene }));
}

export function groupPath(rest: string, group = "docker-machine"): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${group}/providers/${rest}`;
}
