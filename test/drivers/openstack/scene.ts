/** A fake OpenStack and a machine's driver on it, with time that passes by itself. */
import type { Driver, DriverContext, Resource } from "../../../src/driver-kit/driver.ts";
import { driverModule } from "../../../src/drivers/openstack/index.ts";
import type { Clock } from "../../../src/system/clock.ts";
import { bareComputer, openCloudScene, type CloudScene, type Flags } from "../driver-scene.ts";
import { account } from "./fake-keystone.ts";
import { FakeOpenStack } from "./fake-openstack.ts";

/** The tests' own folder is none of its business. */
export const placelessComputer = { ...bareComputer, cwd: "/nowhere" };

/** Flags are given without their prefix, as `flavor-name`. */
export interface Scene extends CloudScene<FakeOpenStack> {
  /** One whose machine runs. */
  running(flags?: Flags): Promise<Driver>;
}

export async function openScene(overrides: Partial<DriverContext> = {}): Promise<Scene> {
  const start = async (clock: Clock): Promise<FakeOpenStack> => await FakeOpenStack.start({ now: () => clock.now().getTime() });
  const flagsOf = (cloud: FakeOpenStack, flags: Flags): Flags => ({ ...fakeFlags(cloud), ...prefixed(flags) });
  const scene = await openCloudScene(driverModule, start, flagsOf, { computer: placelessComputer, ...overrides });
  const running: Scene["running"] = async (flags) => {
    const driver = await scene.created(flags);
    await driver.locate?.(scene.signal);
    return driver;
  };
  return { ...scene, running };
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
