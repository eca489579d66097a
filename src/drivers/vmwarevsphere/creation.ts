/**
 * How a machine comes into being: the VM, by one of four ways; what it is made of; what its guest is told; and power. The VM
 * has the instance UUID of its create from the first moment, so that a call that comes later finds it and makes no second.
 */
import { forgetHostKeys } from "../../driver-kit/guest/guest-identity.ts";
import { requireMark, uuidOf } from "../../driver-kit/marks.ts";
import { failureKindOf, isNotFound } from "../../driver-kit/provider-error.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { typed, type Ref } from "./api/wire.ts";
import { childOf, type XmlElement } from "./api/xml.ts";
import {
  annotationOf,
  cardChanges,
  devicesOf,
  diskIdentity,
  growth,
  isDisk,
  macAddresses,
  settings,
  vAppConfig,
} from "./hardware.ts";
import { provideImage } from "./image.ts";
import { abortLease, importMachine, resultRef } from "./import.ts";
import { findArriving, findVm, requireVm, type Vm } from "./instance.ts";
import { driverName } from "./options.ts";
import { chooseDatastore } from "./placement.ts";
import { powerOn } from "./power.ts";
import { plantSeed, seedProperties } from "./seed.ts";
import { provideTemplate } from "./template.ts";
import { folderOf, hostOf, kinds, poolOf, refFrom, type Workplace } from "./workplace.ts";

/** Returns once the VM was told to start. */
export async function createMachine(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config, context, ledger } = place;
  requireMark(context.createId);
  config.InstanceUuid = uuidOf("vmwarevsphere instance", context.createId ?? "");
  await ledger.intend(kinds.instance, config.InstanceUuid);
  if (config.Stage === "") await makeVm(place, signal);
  const made = await requireVm(place, [...equipProperties, "runtime.powerState"], signal);
  if (made.properties.get("runtime.powerState")?.text === "poweredOn") return;
  const vm = config.Stage === "made" ? await equip(place, made, signal) : made;
  await plantSeed(place, vm, signal);
  if (config.CreationType === "legacy") await (await import("./boot2docker.ts")).insertDisc(place, signal);
  if (config.Tags.length > 0 || config.CustomAttributes.length > 0)
    await (await import("./labels.ts")).attachLabels(place, vm, signal);
  await powerOn(place, signal);
  if (config.Seed !== "none") await forgetHostKeys(context);
}

type Maker = (place: Workplace, signal: AbortSignal) => Promise<Ref>;

const makers: Readonly<Record<string, Maker>> = {
  image: makeFromImage,
  template: makeFromSource,
  vm: makeFromSource,
  library: async (place, signal) => await (await import("./library.ts")).deployItem(place, signal),
  legacy: async (place, signal) => await (await import("./boot2docker.ts")).makeForDisc(place, signal),
};

async function makeVm(place: Workplace, signal: AbortSignal): Promise<void> {
  const { api, config, ledger, context } = place;
  await abortLease(place, signal);
  const isWhole = config.CreationType !== "legacy" && (await isVCenter(place, signal));
  const earlier = await findVm(place, [], signal);
  // A clone is there whole or not at all; of an import that was cut off nobody knows how much came.
  if (earlier !== undefined && !isWhole) await api.run("Destroy_Task", earlier.ref, {}, signal);
  const ref = earlier !== undefined && isWhole ? earlier.ref : await makers[config.CreationType]?.(place, signal);
  if (ref === undefined) throw new RangeError(`there is no way to make a VM called ${config.CreationType}`);
  Object.assign(config, { VmRef: ref.value, Stage: "made" });
  await ledger.note(kinds.instance, config.InstanceUuid);
  await context.save();
}

async function isVCenter({ api }: Workplace, signal: AbortSignal): Promise<boolean> {
  return (await api.content(signal)).isVCenter;
}

/** A host by itself clones nothing: there the image is brought for each machine. */
async function makeFromImage(place: Workplace, signal: AbortSignal): Promise<Ref> {
  if (await isVCenter(place, signal)) return await clone(place, await provideTemplate(place, signal), signal);
  const image = await provideImage(place, false, signal);
  return await importMachine(place, { file: image.file, title: image.title, capacityBytes: image.virtualSizeBytes }, signal);
}

async function makeFromSource(place: Workplace, signal: AbortSignal): Promise<Ref> {
  return await clone(place, refFrom(place.config.SourceRef), signal);
}

async function clone(place: Workplace, source: Ref, signal: AbortSignal): Promise<Ref> {
  const { api, config, context } = place;
  const datastore = await chooseDatastore(place, signal);
  const location = { datastore: datastore.ref, pool: poolOf(config), host: hostOf(config) };
  const spec = typed("VirtualMachineCloneSpec", {
    location: typed("VirtualMachineRelocateSpec", location),
    template: false,
    config: typed("VirtualMachineConfigSpec", {
      instanceUuid: config.InstanceUuid,
      annotation: annotationOf(place),
      extraConfig: await settings(place),
    }),
    customization: await customization(place, signal),
    powerOn: false,
  });
  const parameters = { folder: folderOf(config), name: context.machineName, spec };
  try {
    return resultRef(await api.run("CloneVM_Task", source, parameters, signal));
  } catch (error) {
    // An earlier attempt may have come through meanwhile.
    const ours = failureKindOf(error) === "exists" ? await findArriving(place, [], signal) : undefined;
    if (ours === undefined) throw error;
    return ours.ref;
  }
}

/** A specification that vCenter keeps, as it is. */
async function customization(place: Workplace, signal: AbortSignal): Promise<XmlElement | undefined> {
  const name = place.config.Customization;
  const found = name === "" ? undefined : await findSpecification(place, name, signal);
  if (name === "" || found !== undefined) return found;
  throw new MachineError("provider-not-found", `vCenter has no customization specification ${name}`, {
    hint: `Look at Policies and Profiles in vCenter, or leave --${driverName}-customization out.`,
  });
}

async function findSpecification({ api }: Workplace, name: string, signal: AbortSignal): Promise<XmlElement | undefined> {
  const manager = (await api.content(signal)).manager("customizationSpecManager");
  try {
    const found = childOf(await api.call("GetCustomizationSpec", manager, { name }, signal), "returnval", "spec");
    return found && { ...found, xsiType: undefined };
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

const equipProperties = [...seedProperties, "config.vAppConfig"];

/** Sizes, cards, disk and settings. Does the same again where it was cut off. Gives the VM as it is then. */
async function equip(place: Workplace, vm: Vm, signal: AbortSignal): Promise<Vm> {
  const { api, config, context } = place;
  const devices = devicesOf(vm.properties);
  const spec = typed("VirtualMachineConfigSpec", {
    annotation: annotationOf(place),
    numCPUs: config.CPU,
    // A template's own number of cores need not divide it.
    numCoresPerSocket: 1,
    memoryMB: config.Memory,
    deviceChange: [...(await cardChanges(place, devices, signal)), ...growth(devices, config.DiskSize)],
    extraConfig: await settings(place),
    vAppConfig: vAppConfig(config, vm.properties.get("config.vAppConfig")),
  });
  await api.run("ReconfigVM_Task", vm.ref, { spec }, signal);
  const equipped = await requireVm(place, [...seedProperties, "config.uuid"], signal);
  config.MacAddresses = macAddresses(devicesOf(equipped.properties));
  config.OwnDisks = devicesOf(equipped.properties).filter(isDisk).map(diskIdentity);
  config.MachineId = equipped.properties.get("config.uuid")?.text ?? "";
  config.Stage = "equipped";
  await context.save();
  return equipped;
}
