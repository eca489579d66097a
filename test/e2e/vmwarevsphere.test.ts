/**
 * A vSphere machine's whole life through the program: vCenter is the simulator behind a proxy that is as strict as a real
 * one, and its VMs are hosts of the lab with the keys that their seed has.
 */
import assert from "node:assert/strict";
import type { Hardware } from "../drivers/vmwarevsphere/hardware.ts";
import { bootableImage } from "../drivers/vmwarevsphere/scene.ts";
import { readSeed, type ReadSeed } from "../drivers/vmwarevsphere/seed-reading.ts";
import { FakeVcenter } from "../drivers/vmwarevsphere/vcenter.ts";
import { password, user, vcsimMissing } from "../drivers/vmwarevsphere/vcsim.ts";
import type { CloudHosts } from "../lab/cloud-hosts.ts";
import { liveAt, testLife } from "./cloud-life.ts";

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

testLife("machines on vSphere", vcsimMissing, async (hosts) => {
  const seeds: ReadSeed[] = [];
  await using vcenter = await FakeVcenter.start("vpx", hardwareOn(hosts, seeds));
  await liveAt({
    driver: "vmwarevsphere",
    flags: [],
    env: {
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
    },
    secrets: [password],
    hosts,
    heard: async () => vcenter.requests.length,
    resources: async () => (await vcenter.state()).vms.filter(({ name }) => name === "web"),
    toldUserData: async () => {
      const vm = await vcenter.vm("web");
      assert.equal(readSeed(await vcenter.state(), vm), undefined, "of the seed something is left at vSphere");
      assert.ok(seeds[0] !== undefined);
      return seeds[0].userData;
    },
  });
  assert.equal(vcenter.calls("Login"), vcenter.calls("Logout"), "a session was left");
  assert.deepEqual(vcenter.violations, []);
});
