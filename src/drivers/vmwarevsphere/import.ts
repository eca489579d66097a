/**
 * A disk brought to vSphere: a VM is made there for it, under a lease, and its bytes are sent to where the lease says, as a
 * streamOptimized VMDK. Whoever holds the lease must say how far it is, or vSphere removes what was begun.
 */
import * as path from "node:path";
import { inPhase } from "../../driver-kit/phase.ts";
import { isNotFound } from "../../driver-kit/provider-error.ts";
import { openDisk } from "../../driver-kit/disk-formats/open-disk.ts";
import { openRawDisk } from "../../driver-kit/disk-formats/raw-disk.ts";
import type { VirtualDisk } from "../../driver-kit/disk-formats/disk.ts";
import { streamOptimizedVmdk } from "../../driver-kit/disk-formats/stream-optimized-vmdk.ts";
import type { HttpTransport } from "../../driver-kit/http-transport.ts";
import { uuidOf } from "../../driver-kit/marks.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { factsOf, readStreamOf, removeTree } from "../../system/disk-files.ts";
import { openByteSource, writeInOrder, writeNewFile } from "../../system/random-access.ts";
import { poll } from "../../system/waiting.ts";
import { refOf, requireRef } from "./api/answers.ts";
import { baseUrl } from "./api/connection.ts";
import { typed, type Ref, type Typed } from "./api/wire.ts";
import { childOf, childrenOf, textOf, type XmlElement } from "./api/xml.ts";
import { annotationOf, diskVm, settings } from "./hardware.ts";
import { chooseDatastore } from "./placement.ts";
import { folderOf, hostOf, pace, poolOf, refFrom, refText, type Workplace } from "./workplace.ts";

export interface ImportWish {
  /** Of the VM, with one disk to be created. */
  readonly configSpec: Typed;
  readonly pool: Ref;
  readonly folder: Ref;
  readonly host: Ref | undefined;
  readonly file: string;
  /** The file's bytes are the disk's, whatever they look like; else it is an image, qcow2 or raw. */
  readonly isRaw?: boolean | undefined;
  readonly capacityBytes: number;
  /** For the view: `debian-13-genericcloud-amd64.qcow2`. */
  readonly title: string;
}

/** A LAN is faster than a processor that makes the smallest file. */
const level = 1;
/** vSphere ends a lease that nobody spoke of for five minutes. */
const progressMs = 10_000;

/**
 * Makes the machine's VM as {@link importVm} does.
 * @param disk its bytes become the machine's first disk
 */
export async function importMachine(
  place: Workplace,
  disk: Pick<ImportWish, "file" | "title" | "isRaw" | "capacityBytes">,
  signal: AbortSignal,
): Promise<Ref> {
  const { config, context } = place;
  const datastore = await chooseDatastore(place, signal);
  const configSpec = diskVm({
    name: context.machineName,
    datastore: datastore.name,
    capacityBytes: disk.capacityBytes,
    cpus: config.CPU,
    memoryMB: config.Memory,
    instanceUuid: config.InstanceUuid,
    annotation: annotationOf(place),
    extraConfig: await settings(place),
  });
  const wish = { configSpec, pool: poolOf(config), folder: folderOf(config), host: hostOf(config) };
  return await importVm(place, { ...wish, ...disk }, signal);
}

/** Makes the VM with its disk filled; gives its reference. What it began and could not finish, it has taken back. */
export async function importVm(place: Workplace, wish: ImportWish, signal: AbortSignal): Promise<Ref> {
  const { api, config, context } = place;
  const file = path.join(context.machineDir, "upload.vmdk");
  try {
    await inPhase(context, `Preparing ${wish.title} for vSphere`, async () => await writeVmdk(place, wish, file, signal));
    const { configSpec, pool, folder, host } = wish;
    const spec = typed("VirtualMachineImportSpec", { configSpec });
    const answer = await api.call("ImportVApp", pool, { spec, folder, host }, signal);
    const lease = requireRef(childOf(answer, "returnval"));
    config.LeaseRef = refText(lease);
    await context.save();
    const vm = await upload(place, lease, { file, title: wish.title }, signal);
    config.LeaseRef = "";
    return vm;
  } finally {
    await removeTree(file);
  }
}

async function writeVmdk({ context }: Workplace, wish: ImportWish, file: string, signal: AbortSignal): Promise<void> {
  await using source = await openByteSource(wish.file, wish.title);
  const disk: VirtualDisk = wish.isRaw === true ? openRawDisk(source) : await openDisk(source, signal);
  const uuid = uuidOf("vmwarevsphere disk", context.createId ?? "");
  const stream = streamOptimizedVmdk(disk, { capacityBytes: wish.capacityBytes, uuid, level }, signal);
  await removeTree(file);
  await writeNewFile(file, async (sink) => await writeInOrder(sink, stream));
}

async function upload(
  place: Workplace,
  lease: Ref,
  body: { readonly file: string; readonly title: string },
  signal: AbortSignal,
): Promise<Ref> {
  const { api, context } = place;
  try {
    const info = await ready(place, lease, signal);
    const target = childrenOf(info, "deviceUrl").find((one) => textOf(one, "disk") === "true");
    if (target === undefined) throw strangeLease(place);
    await inPhase(context, `Sending ${body.title} to vSphere`, async () => await send(place, lease, target, body.file, signal));
    await api.call("HttpNfcLeaseComplete", lease, {}, signal);
    return requireRef(childOf(info, "entity"));
  } catch (error) {
    // Aborted or not: what was begun goes with its lease, and whoever comes next finds it by its UUID where it does not.
    await abortLease(place, AbortSignal.timeout(10_000)).catch(() => {});
    throw error;
  }
}

async function ready({ api, config, context }: Workplace, lease: Ref, signal: AbortSignal): Promise<XmlElement> {
  const patience = { ms: context.operationMs, clock: context.clock, signal };
  const ask = async (): Promise<XmlElement | undefined> => {
    const properties = await api.properties(lease, ["state", "info", "error"], signal);
    const state = properties?.get("state")?.text;
    if (state === "ready") return properties?.get("info");
    if (state === "initializing") return undefined;
    const words = textOf(properties?.get("error"), "localizedMessage");
    throw new MachineError("provider-error", `${config.IP} does not take the disk${words === "" ? "" : `: ${words}`}`, {
      hint: "Look at the task in vCenter for the reason, and create the machine again.",
    });
  };
  return await poll(patience, pace, ask, `${config.IP} was not ready to take the disk`);
}

async function send(place: Workplace, lease: Ref, target: XmlElement, file: string, signal: AbortSignal): Promise<void> {
  const { api, context, config } = place;
  const sizeBytes = (await factsOf(file))?.sizeBytes ?? 0;
  const vsphere = new URL(baseUrl(config));
  const url = new URL(textOf(target, "url").replace("://*", `://${vsphere.host}`));
  const request = {
    method: "POST",
    url: url.href,
    headers: { "content-type": "application/x-vnd.vmware-streamVmdk" },
    body: { sizeBytes, open: () => told(place, lease, file, sizeBytes, signal) },
    boundMs: context.operationMs,
  } as const;
  const own = await api.transport(signal);
  const answer =
    url.host === vsphere.host
      ? await api.sendInSession(own, request, signal)
      : await hostTransport(place, own, textOf(target, "sslThumbprint")).send(request, signal);
  if (answer.status >= 200 && answer.status < 300) return;
  throw new MachineError("provider-error", `${url.host} did not take the disk: it answered with status ${answer.status}`, {
    hint:
      answer.status === 507 || answer.status === 500
        ? "The datastore may be full; look at the host's own log."
        : "Create the machine again.",
  });
}

/**
 * The host that has the datastore, where the disk goes to it directly, proves itself with a certificate that vCenter tells us.
 * Its address is secret enough to let us in: vCenter's session is none of its business.
 */
function hostTransport({ context }: Workplace, own: HttpTransport, thumbprint: string): HttpTransport {
  return thumbprint === "" ? own : context.http.trusting({ fingerprint: thumbprint });
}

/** The file's bytes; between them vSphere is told how many they were. */
async function* told(
  { api, context }: Workplace,
  lease: Ref,
  file: string,
  sizeBytes: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let sentBytes = 0;
  let toldMs = context.clock.monotonicMs();
  for await (const chunk of readStreamOf(file) as AsyncIterable<Uint8Array>) {
    yield chunk;
    sentBytes += chunk.length;
    if (context.clock.monotonicMs() - toldMs < progressMs) continue;
    const percent = Math.min(99, Math.floor((sentBytes / Math.max(sizeBytes, 1)) * 100));
    await api.call("HttpNfcLeaseProgress", lease, { percent }, signal);
    toldMs = context.clock.monotonicMs();
  }
}

/** Ends what an earlier attempt began: vSphere removes its VM. Does nothing where there is none. */
export async function abortLease(place: Workplace, signal: AbortSignal): Promise<void> {
  const { api, config, context } = place;
  if (config.LeaseRef === "") return;
  try {
    await api.call("HttpNfcLeaseAbort", refFrom(config.LeaseRef), {}, signal);
  } catch (error) {
    // It ended by itself, or with the session.
    if (!isNotFound(error)) logTo(context.report, "debug", `The lease could not be ended: ${String(error)}`);
  }
  config.LeaseRef = "";
  await context.save();
}

function strangeLease({ config }: Workplace): MachineError {
  return new MachineError("provider-error", `${config.IP} says nowhere to send the disk to`, {
    hint: "Look at the task in vCenter for the reason, and create the machine again.",
  });
}

/** Of a task's or a call's answer. */
export function resultRef(result: XmlElement | undefined): Ref {
  return refOf(result) ?? requireRef(undefined);
}
