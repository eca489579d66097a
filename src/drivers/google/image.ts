/** From the word of `--google-machine-image` to what a disk is made of, which is then recorded. */
import { parseOsWord, type OsWord } from "../../driver-kit/images/os-word.ts";
import { MachineError } from "../../errors/machine-error.ts";
import type { Workplace } from "./workplace.ts";

export interface Image {
  readonly name: string;
  readonly architecture?: string | undefined;
  /** A number of 64 bits, as text. */
  readonly diskSizeGb?: string | undefined;
  readonly deprecated?: { readonly state?: string | undefined } | undefined;
}

export interface FoundImage {
  /** `PROJECT/global/images/NAME`, as 0.16.2 reads it too. */
  readonly path: string;
  readonly image: Image;
}

/** Projects that publish the systems' images, and how they name their families; the first that exists counts. */
const publishers: Readonly<
  Record<
    string,
    {
      readonly project: string;
      families(version: string, isArm: boolean): readonly string[];
      newest(now: Date): readonly string[];
    }
  >
> = {
  ubuntu: {
    project: "ubuntu-os-cloud",
    families: (version, isArm) => {
      const name = `ubuntu-${version.replace(".", "")}${/^\d*[02468]\.04$/u.test(version) ? "-lts" : ""}`;
      return isArm ? [`${name}-arm64`] : [`${name}-amd64`, name];
    },
    newest: longTermVersions,
  },
  debian: { project: "debian-cloud", families: plain("debian"), newest: () => ["13", "12"] },
  rockylinux: { project: "rocky-linux-cloud", families: plain("rocky-linux"), newest: () => ["10", "9"] },
  rocky: { project: "rocky-linux-cloud", families: plain("rocky-linux"), newest: () => ["10", "9"] },
  almalinux: { project: "almalinux-cloud", families: plain("almalinux"), newest: () => ["10", "9"] },
};

function plain(name: string): (version: string, isArm: boolean) => readonly string[] {
  return (version, isArm) => [`${name}-${version}${isArm ? "-arm64" : ""}`];
}

/** The newest first whose first point release is out: of Ubuntu that is in the August of its year. */
function longTermVersions(now: Date): readonly string[] {
  const year = now.getUTCFullYear() - 2000;
  const even = year - (year % 2);
  const isSettled = even < year || now.getUTCMonth() >= 8;
  return (isSettled ? [even, even - 2] : [even - 2, even - 4]).map((each) => `${each}.04`);
}

/** Throws `provider-not-found`. @param architecture of the machine type: `X86_64` or `ARM64` */
export async function resolveImage(place: Workplace, architecture: string, signal: AbortSignal): Promise<FoundImage> {
  const wanted = place.config.MachineImage;
  const word = parseOsWord(wanted);
  const candidates =
    word === undefined || publishers[word.system] === undefined
      ? pathsOf(wanted, place.config.Project)
      : pathsOfWord(word, architecture === "ARM64", place.context.clock.now());
  for (const path of candidates) {
    const image = await place.api.findAnywhere<Image>(`/projects/${path}`, signal);
    if (image === undefined || image.deprecated?.state === "OBSOLETE" || image.deprecated?.state === "DELETED") continue;
    return { path: `${path.slice(0, path.indexOf("/"))}/global/images/${image.name}`, image };
  }
  throw new MachineError("provider-not-found", `Google has no image ${JSON.stringify(wanted)}`, {
    hint: `Give a system (${Object.keys(publishers).join(", ")}, with a version as ubuntu-24.04), or PROJECT/global/images/NAME or PROJECT/global/images/family/NAME with --google-machine-image; gcloud compute images list shows what there is.`,
  });
}

function pathsOfWord({ system, version }: OsWord, isArm: boolean, now: Date): readonly string[] {
  const publisher = publishers[system];
  if (publisher === undefined) return [];
  const versions = version === undefined ? publisher.newest(now) : [version];
  return versions
    .flatMap((one) => publisher.families(one, isArm))
    .map((family) => `${publisher.project}/global/images/family/${family}`);
}

/** A path has its project; a bare name is an image, or a family, of the user's own. */
function pathsOf(wanted: string, project: string): readonly string[] {
  const path = wanted.replace(/^projects\//u, "");
  if (path.includes("/global/images/")) return [path];
  return path.includes("/") ? [] : [`${project}/global/images/${path}`, `${project}/global/images/family/${path}`];
}
