/**
 * An instance's whole life through the program: OpenStack is a fake that is held against the API reference, and its
 * servers are hosts of the lab with the keys that the driver has sent.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import { account } from "../drivers/openstack/fake-keystone.ts";
import type { Hardware, PowerChange } from "../drivers/openstack/fake-nova.ts";
import { FakeOpenStack } from "../drivers/openstack/fake-openstack.ts";
import { CloudHosts, type HostSwitch } from "../lab/cloud-hosts.ts";
import { labUnavailableReason, openLab, type Lab } from "../lab/lab.ts";
import { tinyImage } from "../support/tiny-image.ts";
import { output, Program } from "./program.ts";

const unavailable = await labUnavailableReason();

const switches: Readonly<Record<PowerChange, HostSwitch>> = { "os-start": "on", "os-stop": "shut down", reboot: "again" };

function hardwareOn(hosts: CloudHosts): Hardware {
  return {
    boot: async ({ id, wish }) => await hosts.boot(id, Buffer.from(String(wish["user_data"]), "base64").toString("utf8")),
    power: async ({ id }, change) => await hosts.switch(id, switches[change]),
    remove: async ({ id }) => await hosts.remove(id),
  };
}

describe("instances of OpenStack", { skip: unavailable ?? false }, () => {
  let lab: Lab;
  before(async () => {
    lab = await openLab();
  });
  after(async () => await lab.close());

  test("create, env, docker run, ssh, restart, stop, start at a new address, upgrade, regenerate-certs, kill, rm", async () => {
    const hosts = new CloudHosts(lab);
    await using cloud = await FakeOpenStack.start({ hardware: hardwareOn(hosts) });
    await using program = await Program.open();
    const env = {
      OS_AUTH_URL: cloud.authUrl,
      OS_APPLICATION_CREDENTIAL_ID: account.credentialId,
      OS_APPLICATION_CREDENTIAL_SECRET: account.credentialSecret,
      OS_FLAVOR_NAME: "m1.small",
      OS_IMAGE_NAME: "debian",
    };
    const wishes = ["--openstack-open-cidr", "192.0.2.0/24", "--openstack-volume-size", "1"];
    const created = await program.run(["create", "-d", "openstack", ...wishes, "web"], { env });
    assert.equal(created.status, 0, created.stdout + created.stderr);
    assert.match(created.stdout, /Host key of web is SHA256:\S+/u);
    const first = (await program.ok(["ip", "web"])).trim();
    await assertUsable(program);

    // The keys that the metadata service tells are not those that the machine proves itself with any more.
    const [server] = cloud.nova.servers.values();
    const sent = Buffer.from(String(server?.wish["user_data"]), "base64").toString("utf8");
    const own = await program.ok(["ssh", "web", "cat", "/etc/ssh/ssh_host_ed25519_key.pub"]);
    assert.ok(sent.includes("ssh-ed25519 ") && !sent.includes(own.split(" ")[1] ?? "ssh-ed25519"));
    const record = await readFile(path.join(program.store, "machines/web/config.json"), "utf8");
    assert.ok(!`${record}${created.stdout}${created.stderr}`.includes(account.credentialSecret));

    const heard = cloud.requests.length;
    assert.match(await program.ok(["ls"]), /^web\s+-\s+openstack\s+Running\s+tcp:/mu);
    assert.equal(cloud.requests.length, heard, "ls asks the engine, and no provider");

    await program.ok(["restart", "web"], { env });
    await assertUsable(program);
    await program.ok(["stop", "web"], { env });
    assert.equal(await program.ok(["status", "web"], { env }), "Stopped\n");
    await program.ok(["start", "web"], { env });
    const second = (await program.ok(["ip", "web"])).trim();
    assert.notEqual(second, first);
    await assertUsable(program);
    await program.ok(["upgrade", "web"], { env });
    await program.ok(["regenerate-certs", "--force", "web"], { env });
    await assertUsable(program);
    await program.ok(["kill", "web"], { env });
    await program.ok(["rm", "-y", "web"], { env });
    assert.deepEqual([cloud.resources, hosts.size], [[], 0]);
  });
});

async function assertUsable(program: Program): Promise<void> {
  const exports = await program.ok(["env", "web"]);
  const machine = Object.fromEntries(
    [...exports.matchAll(/^export (\w+)="(.*)"$/gmu)].map(([, key = "", value = ""]) => [key, value]),
  );
  await output("docker", ["import", "-", "tiny"], { env: machine, stdin: await tinyImage() });
  assert.equal(await output("docker", ["run", "--rm", "tiny", "echo", "it-works"], { env: machine }), "it-works\n");
  assert.equal(await program.ok(["ssh", "web", "hostname"]), "web\n");
}
