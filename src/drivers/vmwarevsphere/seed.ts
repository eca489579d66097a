/**
 * What the guest is told at its first boot, and how: by a CD on the datastore, which any image reads, or in the settings that
 * VMware's tools read. Others can read either there, so the private halves of the host keys are taken back, and are of no
 * more use by then.
 */
import { forgetHostKeys, newGuestIdentity, publicHalves } from "../../driver-kit/guest/guest-identity.ts";
import { guestInfoSeed } from "../../driver-kit/guest/guestinfo.ts";
import { cloudInitSeed, seedImage, type GuestNetwork, type SeedWish } from "../../driver-kit/guest/nocloud.ts";
import { requireMark } from "../../driver-kit/marks.ts";
import { logTo } from "../../log/event.ts";
import { readFileIfExists } from "../../system/files.ts";
import { schema } from "./api/schema.ts";
import { node, replaced, typed, type Typed } from "./api/wire.ts";
import { textOf, type XmlElement } from "./api/xml.ts";
import { beside, datastorePath, deleteFile, parseDatastorePath, putFile } from "./datastore-files.ts";
import { change, devicesOf, option } from "./hardware.ts";
import { findVm, type Vm } from "./instance.ts";
import { driverName } from "./options.ts";
import { kinds, type Workplace } from "./workplace.ts";

const fileName = "docker-machine-seed.iso";
const guestKeys = ["guestinfo.metadata", "guestinfo.metadata.encoding", "guestinfo.userdata", "guestinfo.userdata.encoding"];

/** What a seed needs to know of the VM. */
export const seedProperties = ["config.hardware.device", "config.files.vmPathName"];

/** Gives the VM its seed, before it is switched on. The host keys' public halves are in the record by then. */
export async function plantSeed(place: Workplace, vm: Vm, signal: AbortSignal): Promise<void> {
  const { config, context } = place;
  const { identity, sshKeyPath } = await newGuestIdentity(context, config.SSHUser);
  config.SSHKeyPath = sshKeyPath;
  if (config.Seed === "none") {
    await context.save();
    return;
  }
  const wish: SeedWish = {
    identity,
    keepsImageUser: false,
    instanceId: `docker-machine-${requireMark(context.createId).id}`,
    networks: networksOf(config.MacAddresses),
    // Without VMware's tools vSphere knows no address of the guest.
    packages: config.CreationType === "image" ? ["open-vm-tools"] : [],
    ...(await userData(place)),
  };
  if (config.Seed === "iso") await plantDisc(place, vm, wish, signal);
  else await plantSettings(place, vm, wish, signal);
}

async function userData({ config }: Workplace): Promise<Pick<SeedWish, "userData" | "userDataFlag">> {
  if (config.CloudConfigFile === "") return {};
  return { userData: await readFileIfExists(config.CloudConfigFile), userDataFlag: `${driverName}-cloud-config` };
}

function networksOf(macs: readonly string[]): readonly GuestNetwork[] {
  return macs.map((macAddress, index) => ({ macAddress, role: index === 0 ? "primary" : "extra" }));
}

async function told(
  place: Workplace,
  seed: { readonly hostKeysInjected: boolean; readonly note?: string | undefined },
  wish: SeedWish,
) {
  const { config, context } = place;
  if (seed.note !== undefined) logTo(context.report, "warn", seed.note);
  config.HostKeys = seed.hostKeysInjected ? [...publicHalves(wish.identity.hostKeys)] : [];
  await context.save();
}

async function plantDisc(place: Workplace, vm: Vm, wish: SeedWish, signal: AbortSignal): Promise<void> {
  const { api, ledger } = place;
  const seed = cloudInitSeed(wish);
  await told(place, seed, wish);
  const file = beside(vm.properties.get("config.files.vmPathName")?.text ?? "", fileName);
  await ledger.intend(kinds.seed, datastorePath(file));
  await putFile(place, file, seedImage(seed.files), signal);
  await ledger.note(kinds.seed, datastorePath(file));
  const devices = devicesOf(vm.properties);
  if (devices.some((device) => isDiscOf(device, datastorePath(file)))) return;
  const deviceChange = discChanges(devices, datastorePath(file));
  await api.run("ReconfigVM_Task", vm.ref, { spec: typed("VirtualMachineConfigSpec", { deviceChange }) }, signal);
}

function isDiscOf({ xsiType, ...device }: XmlElement, file: string): boolean {
  return xsiType === "VirtualCdrom" && textOf({ xsiType, ...device }, "backing", "fileName") === file;
}

const newSata = -301;

/** Behind the VM's own SATA controller, or one that it gets: kernels of cloud images know no IDE. */
export function discChanges(devices: readonly XmlElement[], file: string): readonly Typed[] {
  const sata = devices.find(({ xsiType }) => xsiType === "VirtualAHCIController");
  const controllerKey = sata === undefined ? newSata : Number(textOf(sata, "key"));
  const taken = devices.filter((device) => textOf(device, "controllerKey") === String(controllerKey));
  const units = new Set(taken.map((device) => Number(textOf(device, "unitNumber"))));
  const unitNumber = Array.from({ length: 30 }, (_, unit) => unit).find((unit) => !units.has(unit));
  const connectable = typed("VirtualDeviceConnectInfo", { startConnected: true, allowGuestControl: true, connected: true });
  const backing = typed("VirtualCdromIsoBackingInfo", { fileName: file });
  const disc = change("add", typed("VirtualCdrom", { key: -302, backing, connectable, controllerKey, unitNumber }));
  return sata === undefined ? [change("add", typed("VirtualAHCIController", { key: newSata, busNumber: 0 })), disc] : [disc];
}

async function plantSettings(place: Workplace, vm: Vm, wish: SeedWish, signal: AbortSignal): Promise<void> {
  const seed = guestInfoSeed(wish);
  for (const value of Object.values(seed.values)) place.context.secret(value);
  await told(place, seed, wish);
  const extraConfig = Object.entries(seed.values).map(([key, value]) => option(key, value));
  await place.api.run("ReconfigVM_Task", vm.ref, { spec: typed("VirtualMachineConfigSpec", { extraConfig }) }, signal);
}

/** Once the first contact was made. Does nothing where there is nothing to take back. */
export async function withdrawSeed(place: Workplace, signal: AbortSignal): Promise<void> {
  const { api, config, ledger } = place;
  const vm = await findVm(place, seedProperties, signal);
  if (vm !== undefined && config.Seed === "guestinfo") {
    // An empty value takes the setting away.
    const extraConfig = guestKeys.map((key) => option(key, ""));
    await api.run("ReconfigVM_Task", vm.ref, { spec: typed("VirtualMachineConfigSpec", { extraConfig }) }, signal);
  }
  for (const { kind, id } of ledger.of(kinds.seed)) {
    if (vm !== undefined) await ejectDisc(place, vm, id, signal);
    await deleteFile(place, parseDatastorePath(id), signal);
    await ledger.forget({ kind, id });
  }
  await forgetHostKeys(place.context);
}

/** The drive stays, empty: a guest may hold it, and it cannot be taken out of one that runs. */
async function ejectDisc({ api }: Workplace, vm: Vm, file: string, signal: AbortSignal): Promise<void> {
  const disc = devicesOf(vm.properties).find((device) => isDiscOf(device, file));
  if (disc === undefined) return;
  const [yes, no] = ["true", "false"];
  const empty = replaced(
    disc,
    {
      backing: node("backing", "VirtualCdromRemotePassthroughBackingInfo", { deviceName: "", exclusive: no }),
      connectable: node("connectable", undefined, { startConnected: no, allowGuestControl: yes, connected: no }),
    },
    schema.VirtualCdrom,
  );
  await api.run(
    "ReconfigVM_Task",
    vm.ref,
    { spec: typed("VirtualMachineConfigSpec", { deviceChange: change("edit", empty) }) },
    signal,
  );
}
