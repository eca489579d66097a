/**
 * How a machine comes into being. Its id is known before anything is asked for, and VirtualBox gives it to no second one; what an
 * attempt that was cut off has left of a machine that never ran is taken down first, and a whole machine is only started.
 */
import * as path from "node:path";
import { forgetHostKeys } from "../../driver-kit/guest/guest-identity.ts";
import type { GuestNetwork } from "../../driver-kit/guest/nocloud.ts";
import { seedGuest } from "../../driver-kit/guest/seeded-guest.ts";
import { guestArch, type GuestArch } from "../../driver-kit/images/guest-arch.ts";
import { macAddressOf, requireMark } from "../../driver-kit/marks.ts";
import { pickFreePort } from "../../system/loopback-port.ts";
import { taken } from "./check.ts";
import { provideDisk } from "./disk.ts";
import { cardArguments, ensureHostOnly, type HostOnly } from "./host-only.ts";
import { isAtLeast, type Version } from "./listings.ts";
import { forwardArguments, launch, startVm } from "./power.ts";
import { takeDown } from "./removal.ts";
import { mountOf, shareOf } from "./shares.ts";
import { fileOf, idsOf, isOurs, kinds, vmFiles, type Workplace } from "./workplace.ts";

/** Called again, it goes on. */
export async function createVm(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config, context, tool } = place;
  requireMark(context.createId);
  const ids = idsOf(context.createId);
  config.VmUuid = ids?.vm ?? "";
  config.DiskUuid = ids?.disk ?? "";
  const found = await tool.find(config.VmUuid, signal);
  if (typeof found === "object" && !(await isOurs(place, found))) throw taken(config.VmUuid, found.settingsFile);
  if (typeof found === "object" && config.Created) return await startVm(place, found, signal);
  await takeDown(place, found, signal);
  await build(place, signal);
  config.Created = true;
  await context.save();
  await forgetHostKeys(context);
  await launch(
    place,
    { uuid: config.VmUuid, logFolder: fileOf(place, `${vmFiles.settings}/${context.machineName}/Logs`) },
    signal,
  );
}

async function build(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config, context, ledger, tool } = place;
  const arch = guestArch(context.computer.arch, "virtualbox");
  const version = await tool.version(signal);
  config.Created = false;
  await chooseAddresses(place);
  await context.save();
  const hostOnly = config.Network === "hostonly" ? await ensureHostOnly(place, signal) : undefined;
  config.HostOnlyName = hostOnly?.name ?? "";
  // Before the machine is registered: it takes longest, and fails most often.
  const { disk, cd = await writeSeedCd(place) } = await provideDisk(place, arch, signal);
  await ledger.intend(kinds.instance, config.VmUuid);
  await tool.run(createArguments(place, arch), signal);
  await ledger.note(kinds.instance, config.VmUuid);
  await tool.run(["modifyvm", config.VmUuid, ...settings(place, arch, version), ...cards(place, hostOnly)], signal);
  await attachMedia(place, { disk, cd }, signal);
  await addShare(place, signal);
}

/** Hardware addresses are the same each time that this create is tried; ports are those that are free now. */
async function chooseAddresses({ config, context }: Workplace): Promise<void> {
  const { id } = requireMark(context.createId);
  const mac = (purpose: string): string => macAddressOf("virtualbox", purpose, id).replaceAll(":", "").toUpperCase();
  config.NatMac = mac("nat");
  config.HostOnlyMac = mac("host-only");
  config.SSHPort = await pickFreePort(new Set());
  config.EnginePort = config.Network === "nat" ? await pickFreePort(new Set([config.SSHPort])) : 0;
}

/** Whether it is boot2docker, which takes no seed: from a CD, or a machine that is imported. */
function isBoot2Docker({ config }: Workplace): boolean {
  return config.Boot2DockerURL !== "" || config.Boot2DockerImportVM !== "";
}

function createArguments({ config, context }: Workplace, arch: GuestArch): readonly string[] {
  return [
    ...["createvm", "--name", context.machineName, "--basefolder", path.join(context.machineDir, vmFiles.settings)],
    ...(arch === "arm64" ? ["--platform-architecture", "arm", "--ostype", "Debian_arm64"] : ["--ostype", "Debian_64"]),
    ...["--uuid", config.VmUuid, "--register"],
  ];
}

const platforms: Readonly<Record<GuestArch, readonly string[]>> = {
  x64: [
    ...["--firmware", "bios", "--chipset", "ich9", "--hpet", "on", "--largepages", "on"],
    ...["--graphicscontroller", "vmsvga", "--vram", "16"],
  ],
  arm64: ["--chipset", "armv8virtual", "--firmware", "efi64", "--graphicscontroller", "qemuramfb"],
};

function settings(place: Workplace, arch: GuestArch, version: Version | undefined): readonly string[] {
  const { config, context } = place;
  const isNew = version === undefined || isAtLeast(version, [7, 0, 0]);
  return [
    ...[
      "--description",
      `docker-machine ${context.machineName}`,
      "--cpus",
      String(config.CPU),
      "--memory",
      String(config.Memory),
    ],
    ...["--ioapic", "on", "--rtcuseutc", "on"],
    ...["--boot1", isBoot2Docker(place) ? "dvd" : "disk", "--boot2", "none", "--boot3", "none", "--boot4", "none"],
    ...platforms[arch],
    ...(isNew ? ["--audio-enabled", "off"] : ["--audio", "none"]),
    ...(arch === "x64" ? ["--uart1", "0x3F8", "4", "--uartmode1", "file", fileOf(place, vmFiles.console)] : []),
  ];
}

function cards({ config }: Workplace, hostOnly: HostOnly | undefined): readonly string[] {
  const onOff = (value: boolean): string => (value ? "on" : "off");
  const nat = [
    ...["--nic1", "nat", "--nictype1", config.NatNicType, "--cableconnected1", "on", "--macaddress1", config.NatMac],
    ...["--natdnshostresolver1", onOff(config.HostDNSResolver), "--natdnsproxy1", onOff(config.DNSProxy)],
    ...(config.HostLoopbackReachable ? ["--natlocalhostreachable1", "on"] : []),
    ...forwardArguments(config),
  ];
  if (hostOnly === undefined) return nat;
  return [
    ...nat,
    ...cardArguments(hostOnly),
    ...["--nictype2", config.HostOnlyNicType, "--nicpromisc2", config.HostOnlyPromiscMode],
    ...["--cableconnected2", "on", "--macaddress2", config.HostOnlyMac],
  ];
}

/** boot2docker looks for its disk at the port where 0.16.2 put it. */
async function attachMedia(
  place: Workplace,
  { disk, cd }: { readonly disk: string; readonly cd: string },
  signal: AbortSignal,
): Promise<void> {
  const { config, tool } = place;
  const controller = ["--name", "SATA", "--add", "sata", "--controller", "IntelAhci", "--portcount", "2"];
  await tool.run(["storagectl", config.VmUuid, ...controller, "--hostiocache", "on", "--bootable", "on"], signal);
  const attach = async (port: number, what: readonly string[]): Promise<void> => {
    const at = ["--storagectl", "SATA", "--port", String(port), "--device", "0"];
    await tool.run(["storageattach", config.VmUuid, ...at, ...what], signal);
  };
  const isOld = isBoot2Docker(place);
  await attach(isOld ? 1 : 0, ["--type", "hdd", "--nonrotational", "on", "--discard", "on", "--medium", disk]);
  await attach(isOld ? 0 : 1, ["--type", "dvddrive", "--medium", cd]);
}

/** Gives the CD with the machine's keys and names. */
async function writeSeedCd(place: Workplace): Promise<string> {
  const { config, context } = place;
  const seedFile = fileOf(place, vmFiles.seed);
  const share = shareOf(config, context.computer.os);
  const guest = await seedGuest(context, {
    ...{ userName: config.SSHUser, seedFile, instanceId: config.VmUuid, networks: networksOf(place) },
    ...{ userDataFile: config.CloudConfig, userDataFlag: "virtualbox-cloud-config" },
    mounts: share === undefined ? [] : [mountOf(share)],
  });
  config.SSHKeyPath = guest.sshKeyPath;
  config.HostKeys = [...guest.hostKeys];
  await context.save();
  return seedFile;
}

function networksOf({ config }: Workplace): readonly GuestNetwork[] {
  const nat = { macAddress: config.NatMac, role: "primary" } as const;
  if (config.Network === "nat") return [nat];
  const { HostOnlyAddress: address, HostOnlyCIDR } = config;
  const fixed = address === "" ? undefined : `${address}/${HostOnlyCIDR.split("/")[1]}`;
  return [nat, { macAddress: config.HostOnlyMac, role: "hostonly", address: fixed }];
}

/** What is behind a link may be shared too: 0.16.2 allows it. */
async function addShare({ config, context, tool }: Workplace, signal: AbortSignal): Promise<void> {
  const share = shareOf(config, context.computer.os);
  if (share === undefined) return;
  const { hostPath, name } = share;
  await tool.run(["sharedfolder", "add", config.VmUuid, "--name", name, "--hostpath", hostPath, "--automount"], signal);
  await tool.run(["setextradata", config.VmUuid, `VBoxInternal2/SharedFoldersEnableSymlinksCreate/${name}`, "1"], signal);
}
