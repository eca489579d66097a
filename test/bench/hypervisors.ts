/**
 * How often VBoxManage is called for one machine, beside 0.16.2: each call is a process, and takes a twentieth of a second or
 * more. Counted on the stand-in, with a host-only interface that fits, as each machine but the first finds it. What 0.16.2 calls
 * is told by its source (drivers/virtualbox, commit b170508b), and the stand-in has to accept it.
 */
import { writeFileSync } from "node:fs";
import * as path from "node:path";
import { openScene, type Scene } from "../drivers/virtualbox/scene.ts";
import { bootDisk } from "../support/boot-disk.ts";
import type { Row } from "./measure.ts";

export async function measureHypervisors(): Promise<readonly Row[]> {
  const theirs = await callsOf016();
  const ours = await callsOfOurs();
  return [
    { what: "VBoxManage calls of a create, 0.16.2", value: theirs, unit: "calls" },
    { what: "VBoxManage calls of a create", value: ours, unit: "calls", target: theirs },
  ];
}

async function withInterface(work: (scene: Scene) => Promise<void>): Promise<number> {
  await using scene = await openScene();
  const { state } = scene.world.vbox;
  state.interfaces.push({ name: "vboxnet0", address: "192.168.59.1", netmask: "255.255.255.0" });
  Object.assign(state.dhcp[0] ?? {}, { lower: "192.168.59.100", upper: "192.168.59.254" });
  await work(scene);
  return scene.world.vbox.calls.length;
}

/** Up to the address: the state is asked for once, as if it came up at once. */
async function callsOfOurs(): Promise<number> {
  return await withInterface(async (scene) => {
    const driver = await scene.checked({ "virtualbox-no-share": false, "virtualbox-share-folder": `${scene.world.folder}:home` });
    await driver.create(scene.signal);
    await scene.context.clock.sleep(5_000);
    if ((await driver.getState(scene.signal)) !== "Running") throw new Error("it does not run");
    await driver.locate?.(scene.signal);
    if ((await driver.getIp()) === "") throw new Error("it has no address");
  });
}

async function callsOf016(): Promise<number> {
  return await withInterface(async ({ world: { folder, vbox } }) => {
    writeFileSync(path.join(folder, "boot2docker.iso"), Buffer.alloc(64 * 1024));
    const server = [
      "--ip",
      "192.168.59.8",
      "--netmask",
      "255.255.255.0",
      "--lowerip",
      "192.168.59.100",
      "--upperip",
      "192.168.59.254",
    ];
    const attach = ["storageattach", "web", "--storagectl", "SATA", "--device", "0"];
    const bios = [
      "--bioslogofadein",
      "off",
      "--bioslogofadeout",
      "off",
      "--bioslogodisplaytime",
      "0",
      "--biosbootmenu",
      "disabled",
    ];
    const processor = [
      "--cpuhotplug",
      "off",
      "--pae",
      "on",
      "--hpet",
      "on",
      "--hwvirtex",
      "on",
      "--nestedpaging",
      "on",
      "--largepages",
      "on",
    ];
    const system = [
      "--ostype",
      "Linux26_64",
      "--cpus",
      "1",
      "--memory",
      "1024",
      "--acpi",
      "on",
      "--ioapic",
      "on",
      "--rtcuseutc",
      "on",
    ];
    const names = [
      "--natdnshostresolver1",
      "off",
      "--natdnsproxy1",
      "on",
      "--vtxvpid",
      "on",
      "--accelerate3d",
      "off",
      "--boot1",
      "dvd",
    ];
    const second = ["--nic2", "hostonly", "--nictype2", "82540EM", "--nicpromisc2", "deny", "--hostonlyadapter2", "vboxnet0"];
    const calls: readonly (readonly string[])[] = [
      ["--version"],
      ["list", "hostonlyifs"],
      ["convertfromraw", "stdin", path.join(folder, "disk.vmdk"), "20971520000", "--format", "VMDK"],
      ["createvm", "--basefolder", path.join(folder, "theirs"), "--name", "web", "--register"],
      ["modifyvm", "web", "--firmware", "bios", ...bios, ...system, ...names, ...processor],
      ["modifyvm", "web", "--nic1", "nat", "--nictype1", "82540EM", "--cableconnected1", "on"],
      ["storagectl", "web", "--name", "SATA", "--add", "sata", "--hostiocache", "on"],
      [...attach, "--port", "0", "--type", "dvddrive", "--medium", path.join(folder, "boot2docker.iso")],
      [...attach, "--port", "1", "--type", "hdd", "--medium", path.join(folder, "disk.vmdk")],
      ["guestproperty", "set", "web", "/VirtualBox/GuestAdd/SharedFolders/MountPrefix", "/"],
      ["guestproperty", "set", "web", "/VirtualBox/GuestAdd/SharedFolders/MountDir", "/"],
      ["sharedfolder", "add", "web", "--name", "hosthome", "--hostpath", folder, "--automount"],
      ["setextradata", "web", "VBoxInternal2/SharedFoldersEnableSymlinksCreate/hosthome", "1"],
      ["showvminfo", "web", "--machinereadable"],
      ["list", "hostonlyifs"],
      ["list", "dhcpservers"],
      ["dhcpserver", "modify", "--netname", "HostInterfaceNetworking-vboxnet0", ...server, "--enable"],
      ["modifyvm", "web", ...second, "--cableconnected2", "on"],
      ["modifyvm", "web", "--natpf1", "delete", "ssh"],
      ["modifyvm", "web", "--natpf1", "ssh,tcp,127.0.0.1,32022,,22"],
      ["startvm", "web", "--type", "headless"],
      // The address: the state, and the card's hardware address, by which SSH is then asked.
      ["showvminfo", "web", "--machinereadable"],
      ["showvminfo", "web", "--machinereadable"],
    ];
    for (const call of calls) {
      const { status, stderr } = await vbox.run(call, bootDisk());
      // There is no rule to delete yet, and 0.16.2 does not mind.
      if (status !== 0 && !call.includes("delete")) throw new Error(`${call.join(" ")}: ${stderr}`);
    }
  });
}
