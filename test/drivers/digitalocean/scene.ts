/** A fake DigitalOcean and a machine's driver on it, with time that passes by itself. */
import assert from "node:assert/strict";
import type { Driver, DriverContext, Resource } from "../../../src/driver-kit/driver.ts";
import type { FlagValue } from "../../../src/driver-kit/create-flag.ts";
import { driverModule } from "../../../src/drivers/digitalocean/index.ts";
import { thisComputer } from "../../../src/system/computer.ts";
import type { ErrorCode } from "../../../src/errors/codes.ts";
import { MachineError } from "../../../src/errors/machine-error.ts";
import { testDriverContext, type TestContext } from "../../../src/testing/driver-context.ts";
import { optionsOf } from "../../../src/testing/flag-values.ts";
import { HastyClock } from "../../support/hasty-clock.ts";
import { FakeDigitalOcean, fakeToken } from "./fake-digitalocean.ts";

export interface Scene extends AsyncDisposable {
  readonly cloud: FakeDigitalOcean;
  readonly test: TestContext;
  readonly context: DriverContext;
  readonly clock: HastyClock;
  readonly signal: AbortSignal;
  /** A driver that took its flags and has checked them. */
  checked(flags?: Readonly<Record<string, FlagValue>>): Promise<Driver>;
  /** A driver that took its flags. */
  configured(flags?: Readonly<Record<string, FlagValue>>): Promise<Driver>;
  /** The driver of a later command. */
  reopened(driver: Driver): Promise<Driver>;
  /** Warnings and other lines so far. */
  lines(): readonly string[];
}

/** Nothing of the environment that the tests run in. */
export const bareComputer = { ...thisComputer(), env: {}, homeDir: undefined };

export async function openScene(overrides: Partial<DriverContext> = {}): Promise<Scene> {
  const cloud = await FakeDigitalOcean.start();
  const clock = new HastyClock(new Date("2026-10-01T12:00:00Z"));
  const test = await testDriverContext("web", { clock, computer: bareComputer, ...overrides });
  const { context } = test;
  const configured: Scene["configured"] = async (flags = {}) => {
    const driver = driverModule.open(context, undefined);
    await driver.setConfigFromFlags(optionsOf(driverModule, { ...fakeFlags(cloud), ...flags }));
    return driver;
  };
  const signal = AbortSignal.timeout(60_000);
  return {
    cloud,
    test,
    context,
    clock,
    signal,
    configured,
    checked: async (flags) => {
      const driver = await configured(flags);
      await driver.preCreateCheck(signal);
      return driver;
    },
    reopened: async (driver) => driverModule.open(context, await driver.configText()),
    lines: () => test.events.flatMap((event) => (event.type === "log" ? [event.text] : [])),
    [Symbol.asyncDispose]: async () => {
      await test[Symbol.asyncDispose]();
      await cloud[Symbol.asyncDispose]();
    },
  };
}

export function fakeFlags(cloud: FakeDigitalOcean): Readonly<Record<string, FlagValue>> {
  return { "digitalocean-access-token": fakeToken, "digitalocean-api-url": cloud.url };
}

/** All that is in the account, by the kinds that the driver tells. */
export function resourcesOf(cloud: FakeDigitalOcean): readonly Resource[] {
  return [
    ...[...cloud.droplets.keys()].map((id) => ({ kind: "instance", id: String(id) })),
    ...[...cloud.keys.keys()].map((id) => ({ kind: "ssh-key", id: String(id) })),
    ...[...cloud.firewalls.keys()].map((id) => ({ kind: "firewall", id })),
    ...[...cloud.tags].map((id) => ({ kind: "tag", id })),
  ];
}

export async function configOf(driver: Driver): Promise<Readonly<Record<string, unknown>>> {
  return JSON.parse(await driver.configText()) as Record<string, unknown>;
}

/** That it fails in one sentence, without its own end, and with a way out where there is one. */
export async function assertRefused(work: Promise<unknown>, code: ErrorCode, sentence: RegExp): Promise<MachineError> {
  const error: unknown = await work.then(
    () => assert.fail("it was not refused"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof MachineError, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, sentence);
  assert.doesNotMatch(error.message, /[\n.]$/u);
  assert.ok((error.hint !== undefined && error.hint !== "") || code === "provider-invalid", "a way out");
  return error;
}

/** A record as 0.16.2's own code writes it. */
export function recordOf016(more: object = {}): Readonly<Record<string, unknown>> {
  return {
    IPAddress: "192.0.2.7",
    MachineName: "web",
    SSHUser: "root",
    SSHPort: 22,
    SSHKeyPath: "/home/alice/.docker/machine/machines/web/id_rsa",
    StorePath: "/home/alice/.docker/machine",
    SwarmMaster: false,
    SwarmHost: "tcp://0.0.0.0:3376",
    SwarmDiscovery: "",
    AccessToken: fakeToken,
    DropletID: 0,
    DropletName: "",
    Image: "ubuntu-16-04-x64",
    Region: "nyc3",
    SSHKeyID: 0,
    SSHKeyFingerprint: "",
    SSHKey: "",
    Size: "s-1vcpu-1gb",
    IPv6: false,
    Backups: false,
    PrivateNetworking: true,
    UserDataFile: "",
    Monitoring: false,
    Tags: "a,b",
    ...more,
  };
}
