/**
 * A droplet's whole life through the program: DigitalOcean is a fake that is held against the vendor's description, and
 * its droplets are hosts of the lab with the keys that the driver has sent.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import type { Hardware, PowerChange } from "../drivers/digitalocean/account.ts";
import { FakeDigitalOcean, fakeToken } from "../drivers/digitalocean/fake-digitalocean.ts";
import { CloudHosts, type HostSwitch } from "../lab/cloud-hosts.ts";
import { labUnavailableReason, openLab, type Lab } from "../lab/lab.ts";
import { tinyImage } from "../support/tiny-image.ts";
import { output, Program } from "./program.ts";

const unavailable = await labUnavailableReason();

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

describe("droplets", { skip: unavailable ?? false }, () => {
  let lab: Lab;
  before(async () => {
    lab = await openLab();
  });
  after(async () => await lab.close());

  test("create, env, docker run, ssh, restart, stop, start at a new address, regenerate-certs, kill, rm", async () => {
    const hosts = new CloudHosts(lab);
    await using cloud = await FakeDigitalOcean.start(hardwareOn(hosts));
    await using program = await Program.open();
    const env = { DIGITALOCEAN_ACCESS_TOKEN: fakeToken, DIGITALOCEAN_API_URL: cloud.url };
    const created = await program.run(["create", "-d", "digitalocean", "--digitalocean-open-cidr", "192.0.2.0/24", "web"], {
      env,
    });
    assert.equal(created.status, 0, created.stdout + created.stderr);
    assert.match(created.stdout, /Host key of web is SHA256:\S+/u);
    const first = (await program.ok(["ip", "web"])).trim();
    await assertUsable(program);

    // The keys that the metadata service tells are not those that the machine proves itself with any more.
    const sent = [...cloud.droplets.values()][0]?.userData ?? "";
    const own = await program.ok(["ssh", "web", "cat", "/etc/ssh/ssh_host_ed25519_key.pub"]);
    assert.ok(sent.includes("ssh-ed25519 ") && !sent.includes(own.split(" ")[1] ?? "ssh-ed25519"));
    const record = await readFile(path.join(program.store, "machines/web/config.json"), "utf8");
    assert.ok(!record.includes(fakeToken) && !`${created.stdout}${created.stderr}`.includes(fakeToken));

    const heard = cloud.requests.length;
    assert.match(await program.ok(["ls"]), /^web\s+-\s+digitalocean\s+Running\s+tcp:/mu);
    assert.equal(cloud.requests.length, heard, "ls asks the engine, and no provider");

    await program.ok(["restart", "web"], { env });
    await assertUsable(program);
    await program.ok(["stop", "web"], { env });
    assert.equal(await program.ok(["status", "web"], { env }), "Stopped\n");
    await program.ok(["start", "web"], { env });
    const second = (await program.ok(["ip", "web"])).trim();
    assert.notEqual(second, first);
    await assertUsable(program);
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
