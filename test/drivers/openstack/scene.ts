/** A fake OpenStack and a machine's driver on it, with time that passes by itself. */
import assert from "node:assert/strict";
import type { Driver, DriverContext, Resource } from "../../../src/driver-kit/driver.ts";
import type { FlagValue } from "../../../src/driver-kit/create-flag.ts";
import { driverModule } from "../../../src/drivers/openstack/index.ts";
import { thisComputer } from "../../../src/system/computer.ts";
import type { ErrorCode } from "../../../src/errors/codes.ts";
import { MachineError } from "../../../src/errors/machine-error.ts";
import { testDriverContext, type TestContext } from "../../../src/testing/driver-context.ts";
import { optionsOf } from "../../../src/testing/flag-values.ts";
import { HastyClock } from "../../support/hasty-clock.ts";
import { account } from "./fake-keystone.ts";
import { FakeOpenStack } from "./fake-openstack.ts";

export type Flags = Readonly<Record<string, FlagValue>>;

export interface Scene extends AsyncDisposable {
  readonly cloud: FakeOpenStack;
  readonly test: TestContext;
  readonly context: DriverContext;
  readonly clock: HastyClock;
  readonly signal: AbortSignal;
  /** A driver that took its flags and has checked them. */
  checked(flags?: Flags): Promise<Driver>;
  /** A driver that took its flags; without prefix, as `flavor-name`. */
  configured(flags?: Flags): Promise<Driver>;
  /** One whose machine runs. */
  running(flags?: Flags): Promise<Driver>;
  /** The driver of a later command. */
  reopened(driver: Driver): Promise<Driver>;
  /** Warnings and other lines so far. */
  lines(): readonly string[];
}

/** Nothing of the environment that the tests run in. */
export const bareComputer = { ...thisComputer(), env: {}, homeDir: undefined, cwd: "/nowhere" };

export async function openScene(overrides: Partial<DriverContext> = {}): Promise<Scene> {
  const clock = new HastyClock(new Date("2026-10-01T12:00:00Z"));
  const cloud = await FakeOpenStack.start({ now: () => clock.now().getTime() });
  const test = await testDriverContext("web", { clock, computer: bareComputer, ...overrides });
  const { context } = test;
  const configured: Scene["configured"] = async (flags = {}) => {
    const driver = driverModule.open(context, undefined);
    await driver.setConfigFromFlags(optionsOf(driverModule, { ...fakeFlags(cloud), ...prefixed(flags) }));
    return driver;
  };
  const signal = AbortSignal.timeout(60_000);
  const checked: Scene["checked"] = async (flags) => {
    const driver = await configured(flags);
    await driver.preCreateCheck(signal);
    return driver;
  };
  return {
    cloud,
    test,
    context,
    clock,
    signal,
    configured,
    checked,
    running: async (flags) => {
      const driver = await checked(flags);
      await driver.create(signal);
      await driver.locate?.(signal);
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

export function prefixed(flags: Flags): Flags {
  return Object.fromEntries(Object.entries(flags).map(([name, value]) => [`openstack-${name}`, value]));
}

export function fakeFlags(cloud: FakeOpenStack): Flags {
  return prefixed({
    "auth-url": cloud.authUrl,
    username: account.user,
    password: account.password,
    "tenant-name": account.project,
    "flavor-name": "m1.small",
    "image-name": "debian-12-x86_64",
  });
}

/** Wishes with which a machine has one of each kind. */
export const everything: Flags = { "open-cidr": ["192.0.2.0/24"], "floatingip-pool": "public", "volume-size": 1 };

/** All that is in the project, by the kinds that the driver tells. A root volume is a server's. */
export function resourcesOf({ nova, neutron, cinder }: FakeOpenStack): readonly Resource[] {
  return [
    ...[...nova.servers.keys()].map((id) => ({ kind: "instance", id })),
    ...[...nova.keyPairs.keys()].map((id) => ({ kind: "key-pair", id })),
    ...[...neutron.floatingIps.keys()].map((id) => ({ kind: "floating-ip", id })),
    ...[...neutron.groups.keys()].map((id) => ({ kind: "security-group", id })),
    ...[...cinder.volumes.values()].flatMap(({ id, isRoot }) => (isRoot ? [] : [{ kind: "volume", id }])),
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
  assert.ok(error.hint !== undefined && error.hint !== "", "a way out");
  return error;
}

/** A record as 0.16.2's own code writes it. */
export function recordOf016(more: object = {}): Readonly<Record<string, unknown>> {
  return {
    ...{ IPAddress: "192.0.2.7", MachineName: "web", SSHUser: "ubuntu", SSHPort: 22 },
    SSHKeyPath: "/home/alice/.docker/machine/machines/web/id_rsa",
    StorePath: "/home/alice/.docker/machine",
    ...{ SwarmMaster: false, SwarmHost: "tcp://0.0.0.0:3376", SwarmDiscovery: "" },
    ...{
      AuthUrl: "https://cloud.example:5000/v3",
      ActiveTimeout: 200,
      Insecure: false,
      CaCert: "",
      DomainID: "",
      DomainName: "Default",
    },
    ...{ Username: account.user, Password: account.password, TenantName: account.project, TenantId: "" },
    ...{ Region: "RegionOne", AvailabilityZone: "", EndpointType: "", MachineId: "", FlavorName: "m1.small", FlavorId: "2" },
    ...{ ImageName: "xenial", ImageId: "image-1", KeyPairName: "web-4f1c", NetworkName: "private", NetworkId: "" },
    ...{ UserData: null, PrivateKeyFile: "", SecurityGroups: null, FloatingIpPool: "", ComputeNetwork: false },
    ...{ FloatingIpPoolId: "", IpVersion: 4, ConfigDrive: false, ExistingKey: false },
    ...more,
  };
}
