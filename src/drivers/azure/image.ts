/** From the word of `--azure-image` to the image a machine is made of, which is then recorded with its version. */
import { MachineError } from "../../errors/machine-error.ts";
import { computeVersion } from "./resource-names.ts";
import type { Size } from "./size.ts";
import type { Workplace } from "./workplace.ts";

/** Offers of the marketplace, and their SKUs by generation and architecture. */
interface Series {
  readonly publisher: string;
  readonly offer: string;
  readonly v2: string;
  readonly v1: string;
  readonly arm: string;
}

function ubuntu(offer: string): Series {
  return { publisher: "Canonical", offer, v2: "server", v1: "server-gen1", arm: "server-arm64" };
}

function debian(version: string): Series {
  return { publisher: "Debian", offer: `debian-${version}`, v2: `${version}-gen2`, v1: version, arm: `${version}-arm64` };
}

const jammy: Series = {
  ...{ publisher: "Canonical", offer: "0001-com-ubuntu-server-jammy" },
  ...{ v2: "22_04-lts-gen2", v1: "22_04-lts", arm: "22_04-lts-arm64" },
};

/** Each word, and what is looked for, the first that there is. A bare word is the newest long-term release. */
const words: Readonly<Record<string, readonly Series[]>> = {
  ubuntu: [ubuntu("ubuntu-26_04-lts"), ubuntu("ubuntu-24_04-lts"), ubuntu("ubuntu-22_04-lts"), jammy],
  "ubuntu-26.04": [ubuntu("ubuntu-26_04-lts")],
  "ubuntu-24.04": [ubuntu("ubuntu-24_04-lts")],
  "ubuntu-22.04": [ubuntu("ubuntu-22_04-lts"), jammy],
  debian: [debian("13"), debian("12")],
  "debian-13": [debian("13")],
  "debian-12": [debian("12")],
};

const galleryVersion = "2023-07-03";

interface Urn {
  readonly publisher: string;
  readonly offer: string;
  readonly sku: string;
  readonly version: string;
}

interface ImageFacts {
  readonly properties?: {
    readonly architecture?: string | undefined;
    readonly hyperVGeneration?: string | undefined;
    readonly plan?: { readonly publisher: string; readonly product: string; readonly name: string } | undefined;
    readonly osDiskImage?: { readonly sizeInGb?: number | undefined } | undefined;
  };
}

/** What the virtual machine's body names. */
export function imageReference(image: string): object {
  if (isImageId(image)) return { id: image };
  const { publisher, offer, sku, version } = parseUrn(image);
  return { publisher, offer, sku, version };
}

/** Freezes the image, its generation and its plan in the record. Throws where there is none, or it does not fit the size. */
export async function resolveImage(place: Workplace, size: Size, signal: AbortSignal): Promise<void> {
  const { config } = place;
  const series = words[config.Image];
  if (isImageId(config.Image)) return adopt(place, size, await imageById(place, signal));
  const wanted = series === undefined ? [parseUrn(config.Image)] : series.flatMap((one) => urnsOf(one, size));
  for (const urn of wanted) {
    const version = urn.version === "latest" ? await newestVersion(place, urn, signal) : urn.version;
    const facts = version === undefined ? undefined : await factsOf(place, { ...urn, version }, signal);
    if (facts === undefined) continue;
    adopt(place, size, facts);
    config.Image = [urn.publisher, urn.offer, urn.sku, version].join(":");
    return;
  }
  throw new MachineError("provider-not-found", `Azure has no image ${JSON.stringify(config.Image)} in ${config.Location}`, {
    hint: `Give --azure-image one of ${Object.keys(words).join(", ")}, or a URN of az vm image list --all.`,
  });
}

function isImageId(image: string): boolean {
  return image.includes("/images/");
}

/** Throws in 0.16.2's words. */
function parseUrn(image: string): Urn {
  const [publisher = "", offer = "", sku = "", version = "", ...more] = image.split(":");
  if ([publisher, offer, sku, version].every((part) => part !== "") && more.length === 0)
    return { publisher, offer, sku, version };
  throw new MachineError("driver-options", `image name ${JSON.stringify(image)} not a valid format`, {
    hint: `Write --azure-image as publisher:offer:sku:version, as the id of an image, or as one of ${Object.keys(words).join(", ")}.`,
  });
}

/** A newer generation is taken where the size knows it. */
function urnsOf({ publisher, offer, v1, v2, arm }: Series, { architecture, generations }: Size): readonly Urn[] {
  const skus =
    architecture === "Arm64" ? [arm] : [...(generations.includes("V2") ? [v2] : []), ...(generations.includes("V1") ? [v1] : [])];
  return skus.map((sku) => ({ publisher, offer, sku, version: "latest" }));
}

function skuPath({ config }: Workplace, { publisher, offer, sku }: Urn): string {
  const parts = `publishers/${publisher}/artifacttypes/vmimage/offers/${offer}/skus/${sku}/versions`;
  return `/subscriptions/${config.SubscriptionID}/providers/Microsoft.Compute/locations/${config.Location}/${parts}`;
}

async function newestVersion(place: Workplace, urn: Urn, signal: AbortSignal): Promise<string | undefined> {
  const request = { path: skuPath(place, urn), version: computeVersion, query: { $top: 1, $orderby: "name desc" } };
  return (await place.api.find<readonly { readonly name: string }[]>(request, signal))?.[0]?.name;
}

async function factsOf(place: Workplace, urn: Urn, signal: AbortSignal): Promise<ImageFacts | undefined> {
  const path = `${skuPath(place, urn)}/${urn.version}`;
  return await place.api.find<ImageFacts>({ path, version: computeVersion }, signal);
}

async function imageById({ api, config }: Workplace, signal: AbortSignal): Promise<ImageFacts> {
  const version = /\/galleries\//iu.test(config.Image) ? galleryVersion : computeVersion;
  const found = await api.find<ImageFacts>({ path: config.Image, version }, signal);
  if (found !== undefined) return found;
  throw new MachineError("provider-not-found", `There is no image ${config.Image}`, {
    hint: "See az image list and az sig image-definition list.",
  });
}

/** Throws where size and image do not go together; takes the image's generation and plan. */
function adopt({ config }: Workplace, size: Size, { properties = {} }: ImageFacts): void {
  const { architecture = size.architecture, hyperVGeneration = "V1", plan, osDiskImage } = properties;
  if (architecture.toLowerCase() !== size.architecture.toLowerCase())
    throw mismatch(`The image ${config.Image} is for ${architecture}, and the size ${size.name} is ${size.architecture}`);
  if (!size.generations.includes(hyperVGeneration))
    throw mismatch(
      `The image ${config.Image} is of generation ${hyperVGeneration}, and the size ${size.name} takes ${size.generations.join(", ")}`,
    );
  if (config.TrustedLaunch && hyperVGeneration !== "V2")
    throw mismatch(`--azure-trusted-launch is for images of generation 2, and ${config.Image} is of generation 1`);
  const leastGib = osDiskImage?.sizeInGb ?? 0;
  if (leastGib > config.DiskSize)
    throw new MachineError(
      "driver-options",
      `The image ${config.Image} needs a disk of ${leastGib} GiB, and --azure-disk-size says ${config.DiskSize}`,
      { hint: `Give --azure-disk-size ${leastGib} or more.` },
    );
  if (plan !== undefined && config.Plan === "") config.Plan = [plan.publisher, plan.product, plan.name].join(":");
  config.Generation = hyperVGeneration;
}

function mismatch(sentence: string): MachineError {
  return new MachineError("driver-options", sentence, { hint: "Choose another --azure-size or --azure-image." });
}
