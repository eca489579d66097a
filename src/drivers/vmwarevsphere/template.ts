/**
 * The template of an image: brought to vSphere once for a datacenter, and cloned for each machine. It is no machine's own and
 * stays. Until it is whole it belongs to the create that brings it, whose mark it bears, and goes with that.
 */
import { createHash } from "node:crypto";
import { lockCached } from "../../driver-kit/cache-lock.ts";
import { requireMark } from "../../driver-kit/marks.ts";
import { failureKindOf } from "../../driver-kit/provider-error.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { poll } from "../../system/waiting.ts";
import * as path from "node:path";
import { provideImage } from "./image.ts";
import { chooseDatastore } from "./placement.ts";
import { diskVm, option } from "./hardware.ts";
import { abortLease, importVm } from "./import.ts";
import { bearsOurMark, settingsOf } from "./instance.ts";
import type { VsphereConfig } from "./options.ts";
import { findByUuid } from "./search-index.ts";
import type { Ref } from "./api/wire.ts";
import { folderOf, hostOf, kinds, pace, poolOf, type Workplace } from "./workplace.ts";

/** Changes when templates are made otherwise. */
const generation = 1;

/** The instance UUID of an image's template in a datacenter: the same for everybody (RFC 9562, version 8). */
export function templateUuid({ ImageDigest, DatacenterRef }: VsphereConfig): string {
  const name = `docker-machine template ${generation} ${ImageDigest} ${DatacenterRef}`;
  const bytes = createHash("sha256").update(name).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, "$1-$2-$3-$4-$5");
}

function templateName({ ImageDigest }: VsphereConfig): string {
  return `docker-machine-image-${ImageDigest.replace(/^\w+-/u, "").slice(0, 16)}`;
}

/** The template, brought there if it is not. One command of this computer does that, the others wait. */
export async function provideTemplate(place: Workplace, signal: AbortSignal): Promise<Ref> {
  const { config, context } = place;
  const uuid = templateUuid(config);
  const found = await whole(place, uuid, signal);
  if (found !== undefined) return found;
  const work = {
    what: "The template in vSphere",
    purpose: "bring an image to vSphere",
    holderDoes: "brings the same image to vSphere",
  };
  await using _lock = await lockCached(context, path.join(context.cacheDir, `vmwarevsphere-${uuid}.lock`), work, signal);
  return (await settled(place, uuid, signal)) ?? (await bring(place, uuid, signal));
}

async function whole({ api, ...place }: Workplace, uuid: string, signal: AbortSignal): Promise<Ref | undefined> {
  const ref = await findByUuid({ api, ...place }, uuid, true, signal);
  const properties = ref && (await api.properties(ref, ["config.template"], signal));
  return properties?.get("config.template")?.text === "true" ? ref : undefined;
}

/** What is there under the UUID once nobody works on it; undefined where nothing is. What this create had begun is removed. */
async function settled(place: Workplace, uuid: string, signal: AbortSignal): Promise<Ref | undefined> {
  const { api, config, context } = place;
  await removeBegun(place, signal);
  const patience = { ms: context.operationMs, clock: context.clock, signal };
  let said = false;
  const ask = async (): Promise<{ readonly ref: Ref | undefined } | undefined> => {
    const ref = await findByUuid(place, uuid, true, signal);
    const properties = ref && (await api.properties(ref, ["config.template"], signal));
    if (properties === undefined) return { ref: undefined };
    if (properties.get("config.template")?.text === "true") return { ref };
    if (!said) logTo(context.report, "info", "Waiting for somebody else, who brings the same image to vSphere...");
    said = true;
    return undefined;
  };
  const late = (): MachineError =>
    new MachineError("provider-busy", `The image's template in vSphere, ${templateName(config)}, is not finished`, {
      hint: "Who began to bring it may have been cut off. If no machine is being created, delete that VM in vCenter and try again.",
    });
  return (await poll(patience, pace, ask, late)).ref;
}

async function bring(place: Workplace, uuid: string, signal: AbortSignal): Promise<Ref> {
  const { api, config, context, ledger } = place;
  const image = await provideImage(place, false, signal);
  if (image.digest !== config.ImageDigest)
    throw new MachineError("image-unusable", `The image ${image.title} is another than when the machine was begun`, {
      hint: `Remove the machine and create it again: docker-machine rm ${context.machineName}`,
    });
  const { setting } = requireMark(context.createId);
  const datastore = await chooseDatastore(place, signal);
  const configSpec = diskVm({
    name: templateName(config),
    datastore: datastore.name,
    capacityBytes: image.virtualSizeBytes,
    cpus: 1,
    memoryMB: 512,
    instanceUuid: uuid,
    annotation: `docker-machine: ${image.title}, the template of its machines`,
    extraConfig: [option(setting.key, setting.value), option("guestinfo.docker-machine.image", image.digest)],
  });
  await ledger.intend(kinds.image, uuid);
  const wish = { configSpec, pool: poolOf(config), folder: folderOf(config), host: hostOf(config), file: image.file };
  try {
    const vm = await importVm(place, { ...wish, capacityBytes: image.virtualSizeBytes, title: image.title }, signal);
    await api.call("MarkAsTemplate", vm, {}, signal);
    await ledger.forget({ kind: kinds.image, id: uuid });
    return vm;
  } catch (error) {
    if (failureKindOf(error) !== "exists") throw error;
    throw new MachineError(
      "provider-exists",
      `A VM named ${templateName(config)} exists in the folder ${config.FolderPath}, and is no template of ours`,
      {
        cause: error,
        hint: "Rename or remove it in vCenter, or choose another --vmwarevsphere-folder.",
      },
    );
  }
}

/**
 * Removes what this create has begun to bring and not finished; tells whether there was anything. What has become a template
 * is everybody's.
 */
export async function removeBegun(place: Workplace, signal: AbortSignal): Promise<boolean> {
  const { api, ledger } = place;
  let wasThere = false;
  for (const { kind, id } of ledger.of(kinds.image)) {
    await abortLease(place, signal);
    const ref = await begunImage(place, id, signal);
    if (ref === undefined) continue;
    await api.run("Destroy_Task", ref, {}, signal);
    await ledger.forget({ kind, id });
    wasThere = true;
  }
  return wasThere;
}

/** The VM of an import that this create began, while it is no template. */
export async function begunImage(place: Workplace, uuid: string, signal: AbortSignal): Promise<Ref | undefined> {
  const ref = await findByUuid(place, uuid, true, signal);
  const properties = ref && (await place.api.properties(ref, ["config.template", "config.extraConfig"], signal));
  if (properties === undefined || properties.get("config.template")?.text === "true") return undefined;
  return bearsOurMark(place, settingsOf(properties.get("config.extraConfig"))) ? ref : undefined;
}
