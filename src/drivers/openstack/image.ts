/** The image: by id, by its exact name, or by a system's word for the flavor's architecture; recorded by its id. */
import { newestVersion, parseOsWord } from "../../driver-kit/images/os-word.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { architectureOf, someOf, type Flavor } from "./flavor.ts";
import { openStackOptions } from "./options.ts";
import type { Workplace } from "./workplace.ts";

/** Glance's (https://docs.openstack.org/api-ref/image/v2/), with the common properties of images. */
export interface Image {
  readonly id: string;
  readonly name: string | null;
  readonly status: string;
  /** GiB. */
  readonly min_disk: number;
  /** MiB. */
  readonly min_ram: number;
  /** Bytes. */
  readonly size: number | null;
  readonly created_at: string;
  readonly architecture?: string | undefined;
  readonly os_distro?: string | undefined;
  readonly os_version?: string | undefined;
}

const { flagOf } = openStackOptions;
const path = "/images";

/** Throws in 0.16.2's words, with the images that there are, or saying what does not fit the flavor. */
export async function requireImage(place: Workplace, flavor: Flavor, signal: AbortSignal): Promise<Image> {
  const image = await findImage(place, flavor, signal);
  const name = image.name ?? image.id;
  if (image.status !== "active")
    throw new MachineError("provider-not-found", `The image ${name} is ${image.status}`, {
      hint: `Choose another with ${flagOf("ImageName")}, or ask whoever has it to activate it.`,
    });
  const arch = architectureOf(flavor);
  if (arch !== undefined && image.architecture !== undefined && !isSameArch(arch, image.architecture))
    throw new MachineError(
      "provider-unsupported",
      `The image ${name} is for ${image.architecture}, and the flavor ${flavor.name} for ${arch}`,
      {
        hint: `Choose another ${flagOf("ImageName")} or ${flagOf("FlavorName")}.`,
      },
    );
  if (image.min_ram > flavor.ram)
    throw new MachineError(
      "provider-invalid",
      `The image ${name} needs ${image.min_ram} MiB of RAM, and ${flavor.name} has ${flavor.ram}`,
      {
        hint: `Choose a larger ${flagOf("FlavorName")}.`,
      },
    );
  return image;
}

async function findImage(place: Workplace, flavor: Flavor, signal: AbortSignal): Promise<Image> {
  const { api, config } = place;
  if (config.ImageId !== "") {
    const found = await api.find<Image>("image", `${path}/${encodeURIComponent(config.ImageId)}`, signal);
    if (found !== undefined) return found;
    throw await unknown(place, `with the id ${config.ImageId}`, signal);
  }
  if (config.ImageName === "") throw await unnamed(place, signal);
  const named = await newestFirst(place, { name: config.ImageName, status: "active" }, signal);
  const [first] = named;
  if (first !== undefined) {
    if (named.length > 1)
      tell(place, `There are ${named.length} images named ${config.ImageName}; the newest is taken, of ${first.created_at}`);
    return first;
  }
  const byWord = await findByWord(place, flavor, signal);
  if (byWord === undefined) throw await unknown(place, `named ${config.ImageName}`, signal);
  tell(place, `The image for ${config.ImageName} is ${byWord.name ?? byWord.id}`);
  return byWord;
}

async function newestFirst(
  { api }: Workplace,
  query: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<readonly Image[]> {
  const images = await api.list<Image>("image", path, "images", query, signal);
  return images.toSorted((a, b) => b.created_at.localeCompare(a.created_at));
}

function tell({ context }: Workplace, text: string): void {
  logTo(context.report, "info", text);
}

/** Of several the newest image; x86_64 where neither flavor nor image says more. */
async function findByWord(place: Workplace, flavor: Flavor, signal: AbortSignal): Promise<Image | undefined> {
  const word = parseOsWord(place.config.ImageName);
  if (word === undefined) return undefined;
  const arch = architectureOf(flavor) ?? "x86_64";
  const images = (await newestFirst(place, { status: "active" }, signal)).flatMap((image) => {
    const version = versionOf(image, word.system);
    return version !== undefined && isSameArch(arch, archOf(image) ?? "x86_64") ? [{ image, version }] : [];
  });
  const versions = images.map(({ version }) => version);
  const wanted = word.version ?? newestVersion(word.system, versions, place.context.clock.now());
  return images.find(({ version }) => version === wanted)?.image;
}

/**
 * By the properties that OpenStack names for it; else by a name as clouds write them: "Ubuntu 24.04 LTS",
 * "debian-12-x86_64", "Rocky Linux 9". What comes between (a name, a variant) makes it another system's.
 */
function versionOf({ name, os_distro: distro, os_version: version }: Image, system: string): string | undefined {
  if (distro !== undefined && version !== undefined) return plain(distro) === plain(system) ? version : undefined;
  const pattern = new RegExp(
    `^${system.replace(/(?=linux$)/u, "[ _-]?")}[ _-]?(?:stream[ _-]?|server[ _-]?)?(\\d+(?:\\.\\d+)?)(?![\\d.])`,
    "iu",
  );
  return pattern.exec(name ?? "")?.[1];
}

function plain(distro: string): string {
  return distro.toLowerCase().replaceAll(/[^a-z0-9]/gu, "");
}

function archOf({ name, architecture }: Image): string | undefined {
  return architecture ?? /(?:x86_64|amd64|aarch64|arm64|ppc64le|s390x)/iu.exec(name ?? "")?.[0];
}

const archAliases: Readonly<Record<string, string>> = { amd64: "x86_64", x64: "x86_64", arm64: "aarch64", armv8: "aarch64" };

function isSameArch(one: string, other: string): boolean {
  const canonical = (arch: string): string => archAliases[arch.toLowerCase()] ?? arch.toLowerCase();
  return canonical(one) === canonical(other);
}

async function choiceOf(place: Workplace, signal: AbortSignal): Promise<string> {
  const images = await newestFirst(place, { status: "active" }, signal);
  return `Choose one of ${someOf(images.flatMap(({ name }) => name ?? []))} with ${flagOf("ImageName")}.`;
}

async function unknown(place: Workplace, what: string, signal: AbortSignal): Promise<MachineError> {
  return new MachineError("provider-not-found", `Unable to find image ${what}`, { hint: await choiceOf(place, signal) });
}

async function unnamed(place: Workplace, signal: AbortSignal): Promise<MachineError> {
  const how = `${flagOf("ImageName")} or ${flagOf("ImageId")}`;
  return new MachineError("driver-options", `Image name or Image id must be specified using the CLI option ${how}`, {
    hint: await choiceOf(place, signal),
  });
}
