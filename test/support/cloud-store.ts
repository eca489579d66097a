/**
 * A store full of machines at clouds, whose engines answer: for what may be asked of engines alone. Each machine has an
 * address of its own on the loopback network, since engines of clouds have one port; the second and third byte are left to
 * chance, so that several such stores stand side by side. A server in the place of every provider counts what it hears.
 */
import { randomInt } from "node:crypto";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { defaultEnginePort } from "../../src/engine/engine-address.ts";
import { FakeEngine } from "../../src/engine/fake-engine.ts";
import { systemClock } from "../../src/system/clock.ts";
import { authorityPaths } from "../../src/tls/authority-files.ts";
import { createServerCertificate } from "../../src/tls/machine-certificates.ts";

export interface CloudStore extends AsyncDisposable {
  /** A machine of each driver. */
  readonly oneOfEach: readonly string[];
  /** Requests that some provider has heard. */
  readonly heard: readonly string[];
}

/** What each driver has in its record beside the common fields. @param url of its provider */
const ownFields: Readonly<Record<string, (url: string, index: number) => Readonly<Record<string, unknown>>>> = {
  amazonec2: (url, index) => ({ Region: "eu-central-1", InstanceId: `i-${index}`, Endpoint: url, DisableSSL: true }),
  azure: (url) => ({ SubscriptionID: "s", ResourceGroup: "g", VmId: "v", Endpoint: url, DockerPort: defaultEnginePort }),
  digitalocean: (url, index) => ({ DropletID: index + 1, ApiUrl: url }),
  openstack: (url, index) => ({ AuthUrl: url, Region: "RegionOne", MachineId: `server-${index}` }),
  google: (url) => ({ Project: "p", Zone: "us-central1-a", InstanceNumericId: "1", Endpoint: url }),
};

/** Adds machines beside one that is there already, whose certificates they share. @param seed its name */
export async function addCloudMachines(store: string, seed: string, count: number): Promise<CloudStore> {
  const heard: string[] = [];
  const provider = createServer((request, response) => {
    heard.push(`${request.method} ${request.url}`);
    response.writeHead(500).end();
  });
  await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
  const providerUrl = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;

  const [second, third] = [randomInt(2, 250), randomInt(0, 250)];
  const addresses = Array.from({ length: count }, (_, index) => `127.${second}.${third}.${index + 1}`);
  const names = addresses.map((_, index) => `cloud-${index + 1}`);
  const engines = await startEngines(store, addresses);
  for (const [index, name] of names.entries()) {
    const driverName = Object.keys(ownFields)[index % Object.keys(ownFields).length] ?? "";
    const own = ownFields[driverName]?.(providerUrl, index) ?? {};
    await addMachine(store, seed, name, driverName, { IPAddress: addresses[index], MachineName: name, ...own });
  }
  return {
    oneOfEach: names.slice(0, Object.keys(ownFields).length),
    heard,
    [Symbol.asyncDispose]: async () => {
      provider.closeAllConnections();
      provider.close();
      await Promise.all(engines.map(async (engine) => await engine[Symbol.asyncDispose]()));
    },
  };
}

/** One certificate for all. */
async function startEngines(store: string, addresses: readonly string[]): Promise<readonly FakeEngine[]> {
  const { ca, certificate, key } = await createServerCertificate({
    paths: authorityPaths(path.join(store, "certs")),
    ...{ machineName: "cloud", userName: "tester", addresses, extraNames: [], isSwarmMaster: false, keyType: "ecdsa" },
    clock: systemClock,
  });
  const options = { certificate, key, clientCa: ca, port: defaultEnginePort };
  return await Promise.all(addresses.map(async (host) => await FakeEngine.start({ ...options, host })));
}

async function addMachine(store: string, seed: string, name: string, driverName: string, driver: object): Promise<void> {
  const folder = path.join(store, "machines", name);
  await mkdir(folder, { mode: 0o700 });
  const text = await readFile(path.join(store, "machines", seed, "config.json"), "utf8");
  const record = JSON.parse(text.replaceAll(`machines/${seed}`, `machines/${name}`)) as Record<string, unknown>;
  const ofMachine = { ...record, Name: name, DriverName: driverName, Driver: driver };
  await writeFile(path.join(folder, "config.json"), JSON.stringify(ofMachine), { mode: 0o600 });
  for (const file of ["ca.pem", "cert.pem", "key.pem"]) await cp(path.join(store, "certs", file), path.join(folder, file));
}
