/**
 * An instance's whole life through the program: OpenStack is a fake that is held against the API reference, and its
 * servers are hosts of the lab with the keys that the driver has sent.
 */
import { account } from "../drivers/openstack/fake-keystone.ts";
import type { Hardware, PowerChange } from "../drivers/openstack/fake-nova.ts";
import { FakeOpenStack } from "../drivers/openstack/fake-openstack.ts";
import type { CloudHosts, HostSwitch } from "../lab/cloud-hosts.ts";
import { liveAt, testLife } from "./cloud-life.ts";

const switches: Readonly<Record<PowerChange, HostSwitch>> = { "os-start": "on", "os-stop": "shut down", reboot: "again" };

function userDataOf(wish: Readonly<Record<string, unknown>> | undefined): string {
  return Buffer.from(String(wish?.["user_data"]), "base64").toString("utf8");
}

function hardwareOn(hosts: CloudHosts): Hardware {
  return {
    boot: async ({ id, wish }) => await hosts.boot(id, userDataOf(wish)),
    power: async ({ id }, change) => await hosts.switch(id, switches[change]),
    remove: async ({ id }) => await hosts.remove(id),
  };
}

testLife("instances of OpenStack", false, async (hosts) => {
  await using cloud = await FakeOpenStack.start({ hardware: hardwareOn(hosts) });
  await liveAt({
    driver: "openstack",
    flags: ["--openstack-open-cidr", "192.0.2.0/24", "--openstack-volume-size", "1"],
    env: {
      OS_AUTH_URL: cloud.authUrl,
      OS_APPLICATION_CREDENTIAL_ID: account.credentialId,
      OS_APPLICATION_CREDENTIAL_SECRET: account.credentialSecret,
      OS_FLAVOR_NAME: "m1.small",
      OS_IMAGE_NAME: "debian",
    },
    secrets: [account.credentialSecret],
    hosts,
    heard: async () => cloud.requests.length,
    resources: async () => cloud.resources,
    toldUserData: async () => {
      const [server] = cloud.nova.servers.values();
      return userDataOf(server?.wish);
    },
  });
});
