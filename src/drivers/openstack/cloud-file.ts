/**
 * `clouds.yaml`, in which OpenStack's own tools keep clouds by name: where it is looked for, `secure.yaml` beside it, and
 * profiles in `clouds-public.yaml` (https://docs.openstack.org/openstacksdk/latest/user/config/configuration.html).
 */
import * as path from "node:path";
import { MachineError } from "../../errors/machine-error.ts";
import type { Computer } from "../../system/computer.ts";
import { readFileIfExists } from "../../system/files.ts";

/** One entry, as it is written there. */
export interface CloudEntry {
  readonly auth?: Readonly<Record<string, unknown>> | undefined;
  readonly [key: string]: unknown;
}

export interface FoundCloud {
  readonly entry: CloudEntry;
  readonly file: string;
}

/** In the order they are looked for; the first that exists counts. */
export function cloudFiles({ os, cwd, env, homeDir }: Computer): readonly string[] {
  const named = env["OS_CLIENT_CONFIG_FILE"];
  if (named !== undefined && named !== "") return [path.resolve(cwd, named)];
  const config = env["XDG_CONFIG_HOME"] || (homeDir === undefined ? undefined : path.join(homeDir, ".config"));
  const folders = [
    cwd,
    ...(config === undefined ? [] : [path.join(config, "openstack")]),
    ...(os === "darwin" && homeDir !== undefined ? [path.join(homeDir, "Library/Application Support/openstack")] : []),
    ...(os === "windows" ? [] : ["/etc/openstack"]),
  ];
  return folders.flatMap((folder) => [path.join(folder, "clouds.yaml"), path.join(folder, "clouds.yml")]);
}

/** The entry of that name. Throws `provider-credentials` naming what was looked at where there is none. */
export async function findCloud(name: string, computer: Computer): Promise<FoundCloud> {
  const files = cloudFiles(computer);
  for (const file of files) {
    const clouds = await readClouds(file, "clouds");
    if (clouds === undefined) continue;
    const entry = clouds[name];
    if (entry === undefined) throw missing(`${file} has no cloud ${JSON.stringify(name)}`, Object.keys(clouds));
    return { entry: await completed(name, entry, file), file };
  }
  throw missing(`There is no clouds.yaml with the cloud ${JSON.stringify(name)}; looked at: ${files.join(", ")}`, []);
}

/** With its profile beneath and its secrets above. */
async function completed(name: string, entry: CloudEntry, file: string): Promise<CloudEntry> {
  const beside = async (fileName: string, key: string, wanted: string): Promise<CloudEntry> =>
    (await readClouds(path.join(path.dirname(file), fileName), key))?.[wanted] ?? {};
  const profile = entry["profile"] ?? entry["cloud"];
  const below = typeof profile === "string" ? await beside("clouds-public.yaml", "public-clouds", profile) : {};
  return over(over(below, entry), await beside("secure.yaml", "clouds", name));
}

function over(below: CloudEntry, above: CloudEntry): CloudEntry {
  return { ...below, ...above, auth: { ...below.auth, ...above.auth } };
}

async function readClouds(file: string, key: string): Promise<Readonly<Record<string, CloudEntry>> | undefined> {
  const bytes = await readFileIfExists(file);
  if (bytes === undefined) return undefined;
  const all = await parse(bytes.toString("utf8"), file);
  const clouds = isMap(all) ? (all[key] ?? {}) : undefined;
  if (isMap(clouds) && Object.values(clouds).every(isCloud)) return clouds as Readonly<Record<string, CloudEntry>>;
  throw new MachineError(
    "provider-credentials",
    `${file} does not hold clouds by their names below ${JSON.stringify(`${key}:`)}`,
    {
      hint: "Mend it, or choose another by OS_CLIENT_CONFIG_FILE.",
    },
  );
}

async function parse(text: string, file: string): Promise<unknown> {
  try {
    return (await import("yaml")).parse(text);
  } catch {
    // The parser quotes the lines it complains about, and a password may be in them.
    throw new MachineError("provider-credentials", `${file} is not YAML, so no cloud can be read from it`, {
      hint: "Mend it, or choose another by OS_CLIENT_CONFIG_FILE.",
    });
  }
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCloud(value: unknown): boolean {
  return isMap(value) && (value["auth"] === undefined || isMap(value["auth"]));
}

function missing(sentence: string, known: readonly string[]): MachineError {
  const choice = known.length === 0 ? "Write one" : `Choose one of ${known.toSorted().join(", ")}`;
  return new MachineError("provider-credentials", sentence, { hint: `${choice} with --openstack-cloud, or unset OS_CLOUD.` });
}
