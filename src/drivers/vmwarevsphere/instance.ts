/**
 * This machine's VM at vSphere: by the instance UUID that its create gave it, which no other VM of a vCenter has, wherever it
 * was moved and whatever it is called now. Never by its name, but for machines of 0.16.2, which have nothing else.
 */
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { createMark } from "../../driver-kit/marks.ts";
import { poll } from "../../system/waiting.ts";
import { settleDatacenter } from "./inventory.ts";
import type { Properties } from "./api/answers.ts";
import type { Ref } from "./api/wire.ts";
import { childrenOf, textOf, type XmlElement } from "./api/xml.ts";
import { escapeSegment, findByPath, findByUuid } from "./search-index.ts";
import { pace, type Workplace } from "./workplace.ts";

export interface Vm {
  readonly ref: Ref;
  readonly properties: Properties;
}

/** Always asked for besides what the caller wants. */
const identity = ["config.instanceUuid", "config.template", "name"];

/** The VM with these properties; undefined where there is none, or none was asked for. */
export async function findVm(place: Workplace, paths: readonly string[], signal: AbortSignal): Promise<Vm | undefined> {
  const { api, config } = place;
  const wanted = [...new Set([...identity, ...paths])];
  if (config.VmRef !== "") {
    const ref: Ref = { type: "VirtualMachine", value: config.VmRef };
    const properties = await api.properties(ref, wanted, signal);
    // Ids are given anew after a vCenter was restored.
    if (properties !== undefined && isOurs(place, properties)) return { ref, properties };
  }
  const ref = await findRef(place, signal);
  if (ref === undefined) return undefined;
  const properties = await api.properties(ref, wanted, signal);
  if (properties === undefined || (!config.KnownByPlace && config.InstanceUuid !== "" && !isOurs(place, properties)))
    return undefined;
  adopt(place, ref, properties);
  return { ref, properties };
}

/** Throws `provider-not-found` where it is gone. */
export async function requireVm(place: Workplace, paths: readonly string[], signal: AbortSignal): Promise<Vm> {
  const vm = await findVm(place, paths, signal);
  if (vm !== undefined) return vm;
  const { machineName } = place.context;
  throw new MachineError("provider-not-found", `The VM of "${machineName}" is not at ${place.config.IP} any more`, {
    hint: `It was deleted or unregistered there. Register it again, or drop the machine with: docker-machine rm ${machineName}`,
  });
}

function isOurs({ config }: Workplace, properties: Properties): boolean {
  return config.InstanceUuid !== "" && properties.get("config.instanceUuid")?.text.toLowerCase() === config.InstanceUuid;
}

async function findRef(place: Workplace, signal: AbortSignal): Promise<Ref | undefined> {
  const { config } = place;
  if (config.InstanceUuid !== "") return await findByUuid(place, config.InstanceUuid, true, signal);
  if (config.MachineId !== "") return await findByUuid(place, config.MachineId, false, signal);
  return config.KnownByPlace ? await findByPlace(place, signal) : undefined;
}

/**
 * What stands at the machine's place under its name, where it is this create's: a clone that an earlier attempt asked for is
 * there before it is whole, and tells its UUID only then. Undefined where there is nothing, or somebody else's.
 */
export async function findArriving(place: Workplace, paths: readonly string[], signal: AbortSignal): Promise<Vm | undefined> {
  const { api, config, context } = place;
  const where = `${config.FolderPath}/${escapeSegment(context.machineName)}`;
  const ask = async (): Promise<{ readonly vm: Vm | undefined } | undefined> => {
    const ref = await findByPath(place, where, signal);
    if (ref?.type !== "VirtualMachine") return { vm: undefined };
    const properties = await api.properties(ref, [...identity, ...paths], signal);
    if (properties === undefined) return { vm: undefined };
    if (!properties.has("config.instanceUuid")) return undefined;
    return { vm: isOurs(place, properties) ? { ref, properties } : undefined };
  };
  const patience = { ms: context.operationMs, clock: context.clock, signal };
  return (await poll(patience, pace, ask, `vSphere did not finish the VM ${where}`)).vm;
}

/** A VM of 0.16.2, where it put it. One with the mark of another create is not it, nor is a template. */
async function findByPlace(place: Workplace, signal: AbortSignal): Promise<Ref | undefined> {
  const { config, context } = place;
  await settleDatacenter(place, signal);
  const folder = config.Folder.replace(/^\/+|\/+$/gu, "");
  const where = [config.DatacenterPath, "vm", ...(folder === "" ? [] : [folder]), escapeSegment(context.machineName)].join("/");
  const ref = await findByPath(place, where, signal);
  if (ref?.type !== "VirtualMachine") return undefined;
  const properties = await place.api.properties(ref, ["config.extraConfig", "config.template"], signal);
  const marks = settingsOf(properties?.get("config.extraConfig")).get("guestinfo.docker-machine.create-id");
  if (properties === undefined || marks !== undefined || properties.get("config.template")?.text === "true") return undefined;
  logTo(context.report, "info", `The VM is taken to be ${where} at ${config.IP}, where 0.16.2 put it.`);
  return ref;
}

/** From now on it is known by what nothing else has. Commands that only look do not save it: they hold no lock. */
function adopt({ config }: Workplace, ref: Ref, properties: Properties): void {
  const uuid = properties.get("config.instanceUuid")?.text.toLowerCase() ?? "";
  config.VmRef = ref.value;
  if (uuid === "") return;
  Object.assign(config, { InstanceUuid: uuid, KnownByPlace: false });
}

/** Keys and values of `config.extraConfig`. */
export function settingsOf(value: XmlElement | undefined): ReadonlyMap<string, string> {
  return new Map(childrenOf(value, "OptionValue").map((one) => [textOf(one, "key"), textOf(one, "value")]));
}

/** Whether the settings bear the mark of this create. */
export function bearsOurMark({ context }: Workplace, settings: ReadonlyMap<string, string>): boolean {
  const mark = createMark(context.createId)?.setting;
  return mark !== undefined && settings.get(mark.key) === mark.value;
}
