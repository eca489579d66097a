/** A fake DigitalOcean and a machine's driver on it, with time that passes by itself. */
import type { DriverContext, Resource } from "../../../src/driver-kit/driver.ts";
import { driverModule } from "../../../src/drivers/digitalocean/index.ts";
import { openCloudScene, type CloudScene, type Flags } from "../driver-scene.ts";
import { FakeDigitalOcean, fakeToken } from "./fake-digitalocean.ts";

export type Scene = CloudScene<FakeDigitalOcean>;

export async function openScene(overrides: Partial<DriverContext> = {}): Promise<Scene> {
  const flagsOf = (cloud: FakeDigitalOcean, flags: Flags): Flags => ({ ...fakeFlags(cloud), ...flags });
  return await openCloudScene(driverModule, async () => await FakeDigitalOcean.start(), flagsOf, overrides);
}

export function fakeFlags(cloud: FakeDigitalOcean): Flags {
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
