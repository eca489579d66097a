/**
 * From the word of `--amazonec2-ami` to an image's id: by the public parameters that the makers of systems keep at AWS, else
 * by the newest image of theirs. What is found is recorded, so that a repeated create asks for the same.
 */
import type { Image } from "@aws-sdk/client-ec2";
import { failureKindOf, isNotFound } from "../../driver-kit/provider-error.ts";
import { MachineError, messageOf } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import type { Workplace } from "./workplace.ts";

export type Architecture = "x86_64" | "arm64";

interface System {
  readonly word: string;
  readonly user: string;
  /** Of a public parameter; the value is an image's id. */
  readonly parameter: (architecture: Architecture) => string;
  /** Of the images themselves. */
  readonly name: (architecture: Architecture) => string;
  readonly owners: Owners;
}

/** Accounts, by the partition that a region is in. */
interface Owners {
  readonly aws: string;
  readonly usGov: string;
  readonly china: string;
}

const canonical: Owners = { aws: "099720109477", usGov: "513442679011", china: "837727238323" };
const debian: Owners = { aws: "136693071363", usGov: "136693071363", china: "336777782633" };
const amazon: Owners = { aws: "amazon", usGov: "amazon", china: "amazon" };

const debianName = (architecture: Architecture): string => (architecture === "arm64" ? "arm64" : "amd64");

function ubuntu(version: string, codename: string, disk: "gp2" | "gp3"): System {
  const store = disk === "gp3" ? "hvm-ssd-gp3" : "hvm-ssd";
  return {
    word: `ubuntu-${version}`,
    user: "ubuntu",
    parameter: (cpu) =>
      `/aws/service/canonical/ubuntu/server/${version}/stable/current/${debianName(cpu)}/hvm/ebs-${disk}/ami-id`,
    name: (cpu) => `ubuntu/images/${store}/ubuntu-${codename}-${version}-${debianName(cpu)}-server-*`,
    owners: canonical,
  };
}

function debianSystem(version: string): System {
  return {
    word: `debian-${version}`,
    user: "admin",
    parameter: (cpu) => `/aws/service/debian/release/${version}/latest/${debianName(cpu)}`,
    name: (cpu) => `debian-${version}-${debianName(cpu)}-*`,
    owners: debian,
  };
}

/** The newest of its kind first. Canonical's parameters and names: https://documentation.ubuntu.com/aws. */
const systems: readonly System[] = [
  ubuntu("26.04", "resolute", "gp3"),
  ubuntu("24.04", "noble", "gp3"),
  ubuntu("22.04", "jammy", "gp2"),
  debianSystem("13"),
  debianSystem("12"),
  {
    word: "al2023",
    user: "ec2-user",
    parameter: (cpu) => `/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${cpu}`,
    name: (cpu) => `al2023-ami-2023*-${cpu}`,
    owners: amazon,
  },
];

/** An LTS is taken by the word alone from its first point release on. */
const firstPointReleases: Readonly<Record<string, string>> = { "ubuntu-26.04": "2026-08-06" };

/** The systems that a word means, the best first; empty for what is no such word. */
export function systemsOf(word: string, now: Date): readonly System[] {
  const exact = systems.filter((system) => system.word === word);
  if (exact.length > 0) return exact;
  const isReady = (system: System): boolean => now >= new Date(firstPointReleases[system.word] ?? 0);
  return systems.filter((system) => system.word.startsWith(`${word}-`) && isReady(system));
}

export interface FoundImage {
  readonly image: Image;
  readonly user: string;
}

/** Throws `provider-not-found`, `provider-unsupported` for another architecture, or what AWS refuses. */
export async function findImage(
  place: Workplace,
  architectures: readonly Architecture[],
  signal: AbortSignal,
): Promise<FoundImage> {
  const { AMI, InstanceType } = place.config;
  const cpu: Architecture = architectures.includes("x86_64") ? "x86_64" : "arm64";
  const wanted = systemsOf(AMI, place.context.clock.now());
  if (wanted.length > 0) return await findSystem(place, wanted, cpu, signal);
  const id = AMI.startsWith("resolve:ssm:") ? await resolveParameter(place, AMI.slice("resolve:ssm:".length), signal) : AMI;
  if (!/^ami-[0-9a-f]+$/u.test(id)) throw unknownWord(AMI);
  const image = await describe(place, id, signal);
  if (!architectures.includes(image.Architecture as Architecture))
    throw new MachineError(
      "provider-unsupported",
      `The image ${id} is for ${image.Architecture}, and ${InstanceType} is ${architectures.join(" or ")}`,
      { hint: "Give a system instead of an id (ubuntu, debian-13, al2023), another image or another --amazonec2-instance-type." },
    );
  return { image, user: userOf(image) };
}

async function findSystem(
  place: Workplace,
  wanted: readonly System[],
  cpu: Architecture,
  signal: AbortSignal,
): Promise<FoundImage> {
  const parameters = await readParameters(
    place,
    wanted.map(({ parameter }) => parameter(cpu)),
    signal,
  );
  for (const system of wanted) {
    const id = parameters?.get(system.parameter(cpu));
    if (id !== undefined) return { image: await describe(place, id, signal), user: system.user };
    const image = await newestOf(place, system, cpu, signal);
    if (image !== undefined) return { image, user: system.user };
  }
  throw new MachineError(
    "provider-not-found",
    `The region ${place.config.Region} has no image of ${place.config.AMI} for ${cpu}`,
    {
      hint: "Give the id of an image with --amazonec2-ami, or another system.",
    },
  );
}

/** Undefined where the parameters cannot be read: then the images themselves are looked for. */
async function readParameters(
  { api, context }: Workplace,
  names: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    return await api.parameters(names, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (failureKindOf(error) === "credentials") throw error;
    logTo(context.report, "debug", `No parameters of images could be read, looking for the images: ${messageOf(error)}`);
    return undefined;
  }
}

async function resolveParameter({ api, config }: Workplace, name: string, signal: AbortSignal): Promise<string> {
  const id = (await api.parameters([name], signal))?.get(name);
  if (id !== undefined) return id;
  throw new MachineError("provider-not-found", `There is no parameter ${name} in ${config.Region}`, {
    hint: "See aws ssm get-parameter; or give a system or an id with --amazonec2-ami.",
  });
}

async function newestOf(
  { api, config }: Workplace,
  { name, owners }: System,
  cpu: Architecture,
  signal: AbortSignal,
): Promise<Image | undefined> {
  const { Region } = config;
  const owner = Region.startsWith("us-gov-") ? owners.usGov : Region.startsWith("cn-") ? owners.china : owners.aws;
  const Filters = [
    { Name: "name", Values: [name(cpu)] },
    { Name: "architecture", Values: [cpu] },
    { Name: "state", Values: ["available"] },
  ];
  const { Images = [] } = await api.send("DescribeImages", { Owners: [owner], Filters }, signal);
  return Images.toSorted((a, b) => (b.CreationDate ?? "").localeCompare(a.CreationDate ?? ""))[0];
}

async function describe({ api, config }: Workplace, id: string, signal: AbortSignal): Promise<Image> {
  const missing = (): MachineError =>
    new MachineError("provider-not-found", `AMI ${id} not found on region ${config.Region}`, {
      hint: "Give a system (ubuntu, debian-13, al2023) or an id of this region with --amazonec2-ami.",
    });
  let images: readonly Image[] = [];
  try {
    images = (await api.send("DescribeImages", { ImageIds: [id] }, signal)).Images ?? [];
  } catch (error) {
    if (isNotFound(error)) throw missing();
    throw error;
  }
  const [image] = images;
  if (image === undefined) throw missing();
  if (image.State !== undefined && image.State !== "available")
    throw new MachineError(
      "provider-not-found",
      `The image ${id} is ${image.State}, and instances can be made of it only once it is available`,
      {
        hint: "Wait until it is, or give another with --amazonec2-ami.",
      },
    );
  return image;
}

/** By its name: images of others are made of one of these as a rule. */
function userOf({ Name = "" }: Image): string {
  if (/debian/iu.test(Name)) return "admin";
  return /^(?:al20|amzn)/iu.test(Name) ? "ec2-user" : "ubuntu";
}

function unknownWord(word: string): MachineError {
  const words = systems.map((system) => system.word).join(", ");
  return new MachineError(
    "provider-not-found",
    `--amazonec2-ami ${JSON.stringify(word)} is no system that is known and no image's id`,
    {
      hint: `Give one of ubuntu, debian, ${words}, an id (ami-…) or resolve:ssm:NAME.`,
    },
  );
}
