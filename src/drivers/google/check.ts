/** What is checked before anything is made: first what this computer knows, then project, zone, type, image, network. */
import { requireInstanceName } from "../../driver-kit/marks.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { inPrivateFolder } from "../../ssh/private-folder.ts";
import { parseAccelerator } from "./accelerator.ts";
import { guestMetadata } from "./guest.ts";
import { resolveImage, type FoundImage } from "./image.ts";
import { checkNetwork, resolveAddress } from "./network.ts";
import { defaultDisk } from "./options.ts";
import { diskNameOf, diskPath, instanceNameOf, namedInstance, type Workplace } from "./workplace.ts";

/** Throws with nothing made. Afterwards the record has what will be asked for. */
export async function checkBeforeCreate(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config, context } = place;
  if (config.ExternalFirewallRulePrefix !== "" || config.InternalFirewallRulePrefix !== "")
    logTo(context.report, "warn", "Firewall rules with prefixes are for Rancher's clusters: none are made");
  if (!config.UseExisting) requireInstanceName("google", context.machineName);
  await checkProject(place, signal);
  await checkZone(place, signal);
  await checkInstance(place, signal);
  if (config.UseExisting) return;
  config.Architecture = await checkMachineType(place, signal);
  takeImage(place, await resolveImage(place, config.Architecture, signal));
  await checkGuest(place);
  await checkDiskType(place, signal);
  await checkAccelerator(place, signal);
  await checkNetwork(place, signal);
  config.StaticIP = await resolveAddress(place, signal);
}

async function checkProject(place: Workplace, signal: AbortSignal): Promise<void> {
  const { api, config } = place;
  if (config.Project === "") config.Project = (await api.credentials(signal)).credential.project ?? "";
  if (config.Project === "")
    throw new MachineError("driver-options", "no Google Cloud Project name specified (--google-project)", {
      hint: "Give its id, not its name, with --google-project or GOOGLE_PROJECT.",
    });
  if ((await api.find<object>("", signal)) === undefined)
    throw new MachineError("provider-not-found", `Project with ID ${JSON.stringify(config.Project)} not found`, {
      hint: "Give its id, not its name, with --google-project; gcloud projects list shows both.",
    });
}

async function checkZone({ api, config }: Workplace, signal: AbortSignal): Promise<void> {
  const zone = await api.find<{ status?: string }>(`/zones/${config.Zone}`, signal);
  if (zone === undefined)
    throw new MachineError("provider-not-found", `Google has no zone ${JSON.stringify(config.Zone)}`, {
      hint: "Choose one with --google-zone; gcloud compute zones list shows them.",
    });
  if (zone.status === "DOWN")
    throw new MachineError("provider-capacity", `The zone ${config.Zone} is down`, {
      hint: "Choose another with --google-zone.",
    });
}

/** In 0.16.2's words. */
async function checkInstance(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config } = place;
  const name = JSON.stringify(instanceNameOf(place));
  const found = await namedInstance(place, signal);
  if (config.UseExisting) {
    if (found !== undefined) return;
    throw new MachineError("provider-not-found", `unable to find instance ${name} in zone ${JSON.stringify(config.Zone)}`, {
      hint: "Name the machine as the instance, and its zone with --google-zone.",
    });
  }
  if (found !== undefined)
    throw new MachineError("provider-exists", `instance ${name} already exists in zone ${JSON.stringify(config.Zone)}`, {
      hint: "Choose another name, or give --google-use-existing to take it over.",
    });
  if ((await place.api.find<object>(diskPath(place), signal)) !== undefined)
    throw new MachineError(
      "provider-exists",
      `disk ${JSON.stringify(diskNameOf(place))} already exists in zone ${JSON.stringify(config.Zone)}`,
      {
        hint: "Choose another name, or delete the disk if nothing on it is needed.",
      },
    );
}

async function checkMachineType({ api, config }: Workplace, signal: AbortSignal): Promise<string> {
  const { MachineType, Zone } = config;
  const found = await api.find<{ architecture?: string }>(`/zones/${Zone}/machineTypes/${MachineType}`, signal);
  if (found !== undefined) return found.architecture ?? "X86_64";
  throw new MachineError("provider-not-found", `The zone ${Zone} has no machine type ${JSON.stringify(MachineType)}`, {
    hint: `Choose another with --google-machine-type; gcloud compute machine-types list --zones ${Zone} shows them.`,
  });
}

function takeImage({ config }: Workplace, { path, image }: FoundImage): void {
  const { architecture = config.Architecture } = image;
  if (architecture !== config.Architecture && architecture !== "ARCHITECTURE_UNSPECIFIED")
    throw new MachineError(
      "driver-options",
      `The image ${image.name} is for ${architecture}, and the machine type ${config.MachineType} is ${config.Architecture}`,
      { hint: "Choose another --google-machine-image; a system's name, as ubuntu, fits by itself." },
    );
  const needed = Number(image.diskSizeGb ?? 0);
  if (needed > config.DiskSize && config.DiskSize !== defaultDisk.size)
    throw new MachineError(
      "driver-options",
      `The image ${image.name} needs ${needed} GB, and --google-disk-size gives ${config.DiskSize}`,
      {
        hint: `Give --google-disk-size ${needed}, or leave it out.`,
      },
    );
  config.DiskSize = Math.max(needed, config.DiskSize);
  config.MachineImage = path;
}

/** A stand-in for the machine's key, as long as one. */
const standInKey = `ssh-ed25519 ${"A".repeat(68)}`;

/** Makes the metadata with keys that are thrown away: what is too large or cannot be read is told now. */
async function checkGuest(place: Workplace): Promise<void> {
  const { context } = place;
  await inPrivateFolder(context.computer, async (machineDir) => {
    await guestMetadata({ ...place, context: { ...context, machineDir } }, standInKey);
  });
}

/** Newer families take no persistent disks. */
const hyperdiskOnly = /^(?:a4|a4x|c4|c4a|c4d|n4|n4a|n4d|m4|x4|h4d|z3)-/u;

async function checkDiskType({ api, config }: Workplace, signal: AbortSignal): Promise<void> {
  const { MachineType, Zone } = config;
  if (hyperdiskOnly.test(MachineType) && config.DiskType.startsWith("pd-")) {
    if (config.DiskType !== defaultDisk.type)
      throw new MachineError("driver-options", `The machine type ${MachineType} takes no disk of the type ${config.DiskType}`, {
        hint: "Give --google-disk-type hyperdisk-balanced, or leave it out.",
      });
    config.DiskType = "hyperdisk-balanced";
  }
  if ((await api.find<object>(`/zones/${Zone}/diskTypes/${config.DiskType}`, signal)) !== undefined) return;
  throw new MachineError("provider-not-found", `The zone ${Zone} has no disk type ${JSON.stringify(config.DiskType)}`, {
    hint: `Choose another with --google-disk-type; gcloud compute disk-types list --zones ${Zone} shows them.`,
  });
}

async function checkAccelerator({ api, config }: Workplace, signal: AbortSignal): Promise<void> {
  if (config.Accelerator === "") return;
  const { type } = parseAccelerator(config.Accelerator);
  if ((await api.find<object>(`/zones/${config.Zone}/acceleratorTypes/${type}`, signal)) !== undefined) return;
  throw new MachineError("provider-not-found", `The zone ${config.Zone} has no accelerators ${JSON.stringify(type)}`, {
    hint: "Choose others, or another zone; gcloud compute accelerator-types list shows them.",
  });
}
