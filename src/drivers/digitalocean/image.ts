/** From the word of `--digitalocean-image` to what a droplet is made of, which is then recorded. */
import { newestVersion, parseOsWord } from "../../driver-kit/images/os-word.ts";
import { MachineError } from "../../errors/machine-error.ts";
import type { Image } from "./api.ts";
import type { Workplace } from "./workplace.ts";

/** A slug, or a number as text. Throws `provider-not-found`, or `provider-capacity` for one that the region lacks. */
export async function resolveImage(place: Workplace, signal: AbortSignal): Promise<string> {
  const { api, config, context } = place;
  const wanted = config.Image;
  const listed = await api.list<Image>("/v2/images", "images", { type: "distribution" }, signal);
  const here = listed.filter(({ regions }) => regions.includes(config.Region));
  const slug = slugOf(wanted, slugsOf(here), context.clock.now());
  if (slug !== undefined) return slug;
  if (slugOf(wanted, slugsOf(listed), context.clock.now()) !== undefined) throw elsewhere(wanted, config.Region);
  const other = parseOsWord(wanted) === undefined ? await findImage(place, signal) : undefined;
  if (other === undefined) throw unknown(wanted, slugsOf(here));
  if (!other.regions.includes(config.Region)) throw elsewhere(wanted, config.Region);
  return wanted;
}

/** As the request has it: snapshots go by number. */
export function imageField(image: string): string | number {
  return /^\d+$/u.test(image) ? Number(image) : image;
}

/** Slugs of distributions are `ubuntu-24-04-x64`; there are no others than x64. */
function slugOf(wanted: string, slugs: readonly string[], now: Date): string | undefined {
  if (slugs.includes(wanted)) return wanted;
  const word = parseOsWord(wanted);
  if (word === undefined) return undefined;
  const versions = slugs.flatMap((slug) => {
    const found = new RegExp(`^${word.system}(?:-stream)?-(\\d+(?:-\\d+)?)-x64$`, "u").exec(slug)?.[1];
    return found === undefined ? [] : [{ slug, version: found.replace("-", ".") }];
  });
  const version =
    word.version ??
    newestVersion(
      word.system,
      versions.map((each) => each.version),
      now,
    );
  return versions.find((each) => each.version === version)?.slug;
}

function slugsOf(images: readonly Image[]): readonly string[] {
  return images.flatMap(({ slug }) => slug ?? []);
}

/** Snapshots, and images of applications. */
async function findImage({ api, config }: Workplace, signal: AbortSignal): Promise<Image | undefined> {
  return (await api.find<{ image: Image }>(`/v2/images/${encodeURIComponent(config.Image)}`, signal))?.image;
}

function unknown(wanted: string, slugs: readonly string[]): MachineError {
  return new MachineError("provider-not-found", `DigitalOcean has no image ${JSON.stringify(wanted)}`, {
    hint: `Choose one of ${slugs.toSorted().join(", ")}, or a snapshot's number, with --digitalocean-image.`,
  });
}

function elsewhere(wanted: string, region: string): MachineError {
  return new MachineError("provider-capacity", `The image ${JSON.stringify(wanted)} is not in the region ${region}`, {
    hint: "Choose another --digitalocean-region, or copy the snapshot there first.",
  });
}
