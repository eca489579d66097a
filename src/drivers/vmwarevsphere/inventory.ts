/**
 * The places a machine is made in, found by the names the user gave: with govmomi's rules and sentences, as 0.16.2 had them.
 * A name may be an inventory path below its kind's folder; none means the only one there is.
 */
import { MachineError } from "../../errors/machine-error.ts";
import { type Listed, refOf, requireRef } from "./api/answers.ts";
import type { VimApi } from "./api/vim-api.ts";
import type { Ref } from "./api/wire.ts";
import { childrenOf, type XmlElement } from "./api/xml.ts";
import { findByPath } from "./search-index.ts";
import type { Workplace } from "./workplace.ts";

export interface Found {
  readonly ref: Ref;
  readonly name: string;
}

export interface Datacenter extends Found {
  /** Without a slash before it: `folder/DC0`. */
  readonly path: string;
  readonly hostFolder: Ref;
  readonly datastores: readonly Found[];
  readonly networks: readonly Found[];
}

export async function findDatacenter(place: Workplace, signal: AbortSignal): Promise<Datacenter> {
  const { api, config } = place;
  const { ref, name } = await datacenterByName(place, signal);
  const properties = await api.properties(ref, ["hostFolder", "datastore", "network"], signal);
  return {
    ref,
    name,
    path: await inventoryPath(api, ref, signal),
    hostFolder: requireRef(properties?.get("hostFolder")),
    datastores: await named(api, properties?.get("datastore"), signal),
    networks: config.Networks.length === 0 ? [] : await named(api, properties?.get("network"), signal),
  };
}

/** Into the record, where it is of an older tool and has only the name, or none. */
export async function settleDatacenter(place: Workplace, signal: AbortSignal): Promise<void> {
  if (place.config.DatacenterRef !== "") return;
  const { ref } = await datacenterByName(place, signal);
  Object.assign(place.config, { DatacenterRef: ref.value, DatacenterPath: await inventoryPath(place.api, ref, signal) });
}

async function datacenterByName(place: Workplace, signal: AbortSignal): Promise<Found> {
  const { api, config } = place;
  const root = (await api.content(signal)).manager("rootFolder");
  const all = (await api.list(root, "Datacenter", ["name"], signal)).map(toFound);
  const wanted = config.Datacenter.replace(/^\/+|\/+$/gu, "");
  if (!wanted.includes("/")) return choose("datacenter", wanted, all);
  const ref = await findByPath(place, wanted, signal);
  if (ref?.type !== "Datacenter") throw notFound("datacenter", wanted);
  return { ref, name: wanted.slice(wanted.lastIndexOf("/") + 1) };
}

/** Names from the root down, without the root's own. */
async function inventoryPath(api: VimApi, ref: Ref, signal: AbortSignal): Promise<string> {
  const properties = await api.properties(ref, ["name", "parent"], signal);
  const parent = refOf(properties?.get("parent"));
  if (parent === undefined) return "";
  // vSphere gives names with their slashes escaped already.
  const name = properties?.get("name")?.text ?? "";
  const above = await inventoryPath(api, parent, signal);
  return above === "" ? name : `${above}/${name}`;
}

/** Each once, with its name; without those that went meanwhile. */
async function named(api: VimApi, list: XmlElement | undefined, signal: AbortSignal): Promise<readonly Found[]> {
  const refs = childrenOf(list, "ManagedObjectReference").flatMap((one) => refOf(one) ?? []);
  const once = [...new Map(refs.map((ref) => [ref.value, ref])).values()];
  const all = await api.propertiesOfAll(once, ["name"], signal);
  return all.filter(({ properties }) => properties.has("name")).map(toFound);
}

function toFound({ ref, properties }: Listed): Found {
  return { ref, name: properties.get("name")?.text ?? "" };
}

/** The one of this name, or the only one where none is named. */
export function choose(kind: string, wanted: string, all: readonly Found[]): Found {
  const fitting = wanted === "" ? all : all.filter(({ name }) => name === wanted || decoded(name) === wanted);
  const [first, second] = fitting;
  if (first !== undefined && second === undefined) return first;
  const choice = `There is: ${all.map(({ name }) => decoded(name)).join(", ") || "none"}.`;
  if (wanted === "" && first === undefined) throw refused(`no default ${kind} found`, choice);
  if (wanted === "") throw refused(`default ${kind} resolves to multiple instances, please specify`, choice);
  if (first === undefined) throw notFound(kind, wanted, choice);
  throw refused(`path '${wanted}' resolves to multiple ${kind}s`, "Give the whole inventory path.");
}

function decoded(name: string): string {
  return name.replaceAll(/%2f/giu, "/").replaceAll(/%5c/giu, "\\").replaceAll("%25", "%");
}

function notFound(kind: string, wanted: string, hint = "Look at its name in vCenter's inventory."): MachineError {
  return refused(`${kind} '${wanted}' not found`, hint);
}

function refused(sentence: string, hint: string): MachineError {
  return new MachineError("provider-not-found", sentence, { hint });
}

export async function findFolder(
  place: Workplace,
  datacenter: Datacenter,
  signal: AbortSignal,
): Promise<Found & { readonly path: string }> {
  const { Folder } = place.config;
  const path = [datacenter.path, "vm", ...(Folder === "" ? [] : [Folder])].join("/");
  const ref = await findByPath(place, path, signal);
  if (ref?.type === "Folder") return { ref, name: Folder, path };
  throw refused(`failed to find VM Folder '${Folder}'`, "Make it in vCenter first, or leave --vmwarevsphere-folder out.");
}

/** A path below the datacenter's network or datastore folder, or a name. */
export async function findBelow(
  place: Workplace,
  datacenter: Datacenter,
  kind: "network" | "datastore",
  wanted: string,
  signal: AbortSignal,
): Promise<Found> {
  const all = kind === "network" ? datacenter.networks : datacenter.datastores;
  if (!wanted.includes("/") || all.some(({ name }) => decoded(name) === wanted)) return choose(kind, wanted, all);
  const path = wanted.startsWith("/") ? wanted.slice(1) : `${datacenter.path}/${kind}/${wanted}`;
  const ref = await findByPath(place, path, signal);
  const found = all.find((one) => one.ref.value === ref?.value);
  if (found === undefined) throw notFound(kind, wanted);
  return found;
}

export interface Computing {
  readonly pool: Ref;
  /** Undefined: vSphere chooses among the pool's. */
  readonly host: Ref | undefined;
}

/** A host's own pool where only the host is given; a cluster's where a cluster is named in the place of a pool. */
export async function findComputing(place: Workplace, datacenter: Datacenter, signal: AbortSignal): Promise<Computing> {
  const { Pool, HostSystem } = place.config;
  const host = HostSystem === "" ? undefined : await findHost(place, datacenter, HostSystem, signal);
  if (Pool !== "") return { pool: await findPool(place, datacenter, Pool, signal), host };
  if (host !== undefined) return { pool: await poolOfHost(place, host, signal), host };
  const roots = await rootPools(place, datacenter, signal);
  return { pool: choose("resource pool", "", roots).ref, host };
}

async function findHost(place: Workplace, datacenter: Datacenter, wanted: string, signal: AbortSignal): Promise<Ref> {
  const byPath = wanted.includes("/") ? await findByPath(place, below(datacenter, "host", wanted), signal) : undefined;
  if (byPath?.type === "HostSystem") return byPath;
  // A standalone host has the name of what stands around it, which its path leads to.
  const last = wanted.slice(wanted.lastIndexOf("/") + 1);
  const all = await place.api.list(datacenter.hostFolder, "HostSystem", ["name"], signal);
  return choose("host system", last, all.map(toFound)).ref;
}

async function poolOfHost({ api }: Workplace, host: Ref, signal: AbortSignal): Promise<Ref> {
  const parent = requireRef((await api.properties(host, ["parent"], signal))?.get("parent"));
  return requireRef((await api.properties(parent, ["resourcePool"], signal))?.get("resourcePool"));
}

async function findPool(place: Workplace, datacenter: Datacenter, wanted: string, signal: AbortSignal): Promise<Ref> {
  const byPath = await findByPath(place, below(datacenter, "host", wanted), signal);
  if (byPath?.type === "ResourcePool" || byPath?.type === "VirtualApp") return byPath;
  const roots = await rootPools(place, datacenter, signal);
  const cluster = roots.find(({ name }) => name === wanted.replace(/\/Resources$/u, ""));
  if (cluster !== undefined) return cluster.ref;
  const pools = (await place.api.list(datacenter.hostFolder, "ResourcePool", ["name"], signal)).map(toFound);
  return choose("resource pool", wanted, pools).ref;
}

/** The pool of each cluster and standalone host, under the name of that. */
async function rootPools({ api }: Workplace, { hostFolder }: Datacenter, signal: AbortSignal): Promise<readonly Found[]> {
  const all = await api.list(hostFolder, "ComputeResource", ["name", "resourcePool"], signal);
  return all.flatMap(({ properties }) => {
    const ref = refOf(properties.get("resourcePool"));
    return ref === undefined ? [] : [{ ref, name: properties.get("name")?.text ?? "" }];
  });
}

function below({ path }: Datacenter, folder: string, wanted: string): string {
  return wanted.startsWith("/") ? wanted.slice(1) : `${path}/${folder}/${wanted}`;
}

/** What is cloned: a VM or template by name or by its path below the datacenter's VM folder. */
export async function findSource(place: Workplace, datacenter: Datacenter, wanted: string, signal: AbortSignal): Promise<Ref> {
  const byPath = await findByPath(place, below(datacenter, "vm", wanted), signal);
  if (byPath?.type === "VirtualMachine") return byPath;
  const vmFolder = await findByPath(place, `${datacenter.path}/vm`, signal);
  if (vmFolder === undefined || wanted.includes("/")) throw notFound("vm", wanted);
  const all = await place.api.list(vmFolder, "VirtualMachine", ["name"], signal);
  return choose("vm", wanted, all.map(toFound)).ref;
}

export async function findPod({ api, config }: Workplace, datacenter: Datacenter, signal: AbortSignal): Promise<Ref> {
  const pods = await api.list(datacenter.ref, "StoragePod", ["name"], signal);
  const wanted = config.DatastoreCluster.slice(config.DatastoreCluster.lastIndexOf("/") + 1);
  return choose("datastore cluster", wanted, pods.map(toFound)).ref;
}

/** Bytes; undefined where vSphere does not tell. */
export async function freeBytes({ api }: Workplace, datastore: Ref, signal: AbortSignal): Promise<number | undefined> {
  const free = (await api.properties(datastore, ["summary.freeSpace"], signal))?.get("summary.freeSpace")?.text;
  return free === undefined ? undefined : Number(free);
}
