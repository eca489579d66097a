/**
 * Machines that boot a CD, as all of 0.16.2's did. Their disk begins with an archive that asks boot2docker to format it and
 * holds the login key; it is brought like an image, so that no password and no guest operation is needed.
 */
import * as path from "node:path";
import { formatMeDisk } from "../../driver-kit/guest/format-me-disk.ts";
import { bootIsoName, provideBootIso } from "../../driver-kit/images/boot-iso.ts";
import { factsOf, readStreamOf, removeTree } from "../../system/disk-files.ts";
import { writeFileAtomic } from "../../system/files.ts";
import { typed, type Ref } from "./api/wire.ts";
import { textOf } from "./api/xml.ts";
import { beside, datastorePath, putFile } from "./datastore-files.ts";
import { devicesOf } from "./hardware.ts";
import { importMachine } from "./import.ts";
import { requireVm } from "./instance.ts";
import { driverName, imageSource } from "./options.ts";
import { discChanges, seedProperties } from "./seed.ts";
import { kinds, type Workplace } from "./workplace.ts";

const mib = 1024 * 1024;

/** A disk of the wanted size, empty but for its beginning. */
export async function makeForDisc(place: Workplace, signal: AbortSignal): Promise<Ref> {
  const { config, context } = place;
  await provideDisc(place, signal);
  const { publicKey, privateKeyPath } = await context.ensureSshKey();
  config.SSHKeyPath = privateKeyPath;
  const file = path.join(context.machineDir, "format-me.img");
  const head = formatMeDisk([publicKey]);
  await writeFileAtomic(file, Buffer.concat([head, Buffer.alloc(Math.ceil(head.length / mib) * mib - head.length)]), 0o600);
  try {
    return await importMachine(place, { file, title: "the disk", isRaw: true, capacityBytes: config.DiskSize * mib }, signal);
  } finally {
    await removeTree(file);
  }
}

/** The CD goes into the VM's folder, and its drive. */
export async function insertDisc(place: Workplace, signal: AbortSignal): Promise<void> {
  const { api, ledger } = place;
  const local = await provideDisc(place, signal);
  const sizeBytes = (await factsOf(local))?.sizeBytes ?? 0;
  const vm = await requireVm(place, seedProperties, signal);
  const file = beside(vm.properties.get("config.files.vmPathName")?.text ?? "", bootIsoName);
  await ledger.intend(kinds.disc, datastorePath(file));
  await putFile(place, file, { sizeBytes, open: () => readStreamOf(local) }, signal);
  await ledger.note(kinds.disc, datastorePath(file));
  const devices = devicesOf(vm.properties);
  if (devices.some((device) => textOf(device, "backing", "fileName") === datastorePath(file))) return;
  const deviceChange = discChanges(devices, datastorePath(file));
  await api.run("ReconfigVM_Task", vm.ref, { spec: typed("VirtualMachineConfigSpec", { deviceChange }) }, signal);
}

/** In the machine's folder, where 0.16.2 had it. */
async function provideDisc({ config, context }: Workplace, signal: AbortSignal): Promise<string> {
  const source = imageSource(config, context.computer.cwd);
  if (source.kind !== "iso") throw new RangeError("a disk image is no CD");
  return await provideBootIso(context, source, driverName, signal);
}
