/**
 * A droplet's whole life through the program: DigitalOcean is a fake that is held against the vendor's description, and
 * its droplets are hosts of the lab with the keys that the driver has sent.
 */
import type { Hardware, PowerChange } from "../drivers/digitalocean/account.ts";
import { FakeDigitalOcean, fakeToken } from "../drivers/digitalocean/fake-digitalocean.ts";
import type { CloudHosts, HostSwitch } from "../lab/cloud-hosts.ts";
import { liveAt, testLife } from "./cloud-life.ts";

const switches: Readonly<Record<PowerChange, HostSwitch>> = {
  power_on: "on",
  power_off: "off",
  shutdown: "shut down",
  reboot: "again",
};

function hardwareOn(hosts: CloudHosts): Hardware {
  return {
    boot: async ({ id, userData }) => ({
      publicAddress: await hosts.boot(String(id), userData),
      privateAddress: "10.10.10.2",
    }),
    power: async ({ id }, change) => await hosts.switch(String(id), switches[change]),
    remove: async ({ id }) => await hosts.remove(String(id)),
  };
}

testLife("droplets", false, async (hosts) => {
  await using cloud = await FakeDigitalOcean.start(hardwareOn(hosts));
  await liveAt({
    driver: "digitalocean",
    flags: ["--digitalocean-open-cidr", "192.0.2.0/24"],
    env: { DIGITALOCEAN_ACCESS_TOKEN: fakeToken, DIGITALOCEAN_API_URL: cloud.url },
    secrets: [fakeToken],
    hosts,
    heard: async () => cloud.requests.length,
    resources: async () => cloud.resources,
    toldUserData: async () => [...cloud.droplets.values()][0]?.userData,
  });
});
