/**
 * A vSphere machine's whole life through the program: vCenter is the simulator behind a proxy that is as strict as a real
 * one, and its VMs are hosts of the lab with the keys that their seed has.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import type { Hardware } from "../drivers/vmwarevsphere/hardware.ts";
import { bootableImage } from "../drivers/vmwarevsphere/scene.ts";
import { readSeed, type ReadSeed } from "../drivers/vmwarevsphere/seed-reading.ts";
import { FakeVcenter } from "../drivers/vmwarevsphere/vcenter.ts";
import { password, user, vcsimMissing } from "../drivers/vmwarevsphere/vcsim.ts";
import { CloudHosts } from "../lab/cloud-hosts.ts";
import { labUnavailableReason, openLab, type Lab } from "../lab/lab.ts";
import { tinyImage } from "../support/tiny-image.ts";
import { output, Program } from "./program.ts";

const unavailable = (await labUnavailableReason()) ?? (vcsimMissing === false ? undefined : vcsimMissing);

function hardwareOn(hosts: CloudHosts, seeds: ReadSeed[]): Hardware {
  return {
    boot: async ({ ref }, seed) => {
      assert.ok(seed !== undefined, "a VM without a seed is no machine");
      seeds.push(seed);
      return await hosts.boot(ref, seed.userData);
    },
    power: async ({ ref }, change) => await hosts.switch(ref, change),
    remove: async ({ ref }) => await hosts.remove(ref),
  };
}

describe("machines on vSphere", { skip: unavailable ?? false }, () => {
  let lab: Lab;
  before(async () => {
    lab = await openLab();
  });
  after(async () => await lab.close());

  test("create, env, docker run, ssh, restart, stop, start at a new address, kill, rm", async () => {
    const hosts = new CloudHosts(lab);
    const seeds: ReadSeed[] = [];
    await using vcenter = await FakeVcenter.start("vpx", hardwareOn(hosts, seeds));
    await using program = await Program.open();
    const env = {
      VSPHERE_VCENTER: "127.0.0.1",
      VSPHERE_VCENTER_PORT: String(vcenter.port),
      VSPHERE_USERNAME: user,
      VSPHERE_PASSWORD: password,
      VSPHERE_TLS_THUMBPRINT: vcenter.thumbprint,
      VSPHERE_DATASTORE: "LocalDS_0",
      VSPHERE_POOL: "DC0_C0",
      VSPHERE_DISK_SIZE: "64",
      VSPHERE_IMAGE: await bootableImage(),
      VSPHERE_SSH_USER: "root",
    };
    const created = await program.run(["create", "-d", "vmwarevsphere", "web"], { env });
    assert.equal(created.status, 0, created.stdout + created.stderr);
    const first = (await program.ok(["ip", "web"])).trim();
    await assertUsable(program);

    // Of the seed nothing is left at vSphere, and its keys are not those that the machine proves itself with any more.
    const vm = await vcenter.vm("web");
    assert.equal(readSeed(await vcenter.state(), vm), undefined);
    const own = await program.ok(["ssh", "web", "cat", "/etc/ssh/ssh_host_ed25519_key.pub"]);
    assert.ok(seeds[0]?.userData.includes("ssh-ed25519 ") && !seeds[0].userData.includes(own.split(" ")[1] ?? "ssh-ed25519"));
    const record = await readFile(path.join(program.store, "machines/web/config.json"), "utf8");
    assert.ok(!record.includes(password) && !`${created.stdout}${created.stderr}`.includes(password));

    const heard = vcenter.requests.length;
    assert.match(await program.ok(["ls"]), /^web\s+-\s+vmwarevsphere\s+Running\s+tcp:/mu);
    assert.equal(vcenter.requests.length, heard, "ls asks the engine, and no provider");

    await program.ok(["restart", "web"], { env });
    await assertUsable(program);
    await program.ok(["stop", "web"], { env });
    assert.equal(await program.ok(["status", "web"], { env }), "Stopped\n");
    await program.ok(["start", "web"], { env });
    assert.notEqual((await program.ok(["ip", "web"])).trim(), first);
    await program.ok(["regenerate-certs", "--force", "web"], { env });
    await assertUsable(program);
    await program.ok(["kill", "web"], { env });
    await program.ok(["rm", "-y", "web"], { env });
    assert.deepEqual([(await vcenter.state()).vms.some(({ name }) => name === "web"), hosts.size], [false, 0]);
    assert.equal(vcenter.calls("Login"), vcenter.calls("Logout"), "a session was left");
    assert.deepEqual(vcenter.violations, []);
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
