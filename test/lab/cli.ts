/**
 * The lab by hand: `up` starts hosts that stay until `down`, and prints how to reach them as JSON. Hosts belong to the
 * folder from which they were started; another checkout's are left alone.
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { removeHosts, type LabHost, type LabHostFacts } from "./host.ts";
import { closeWithLease, openWithLease, type OpenedLab } from "./lab.ts";
import { folderLease } from "./leases.ts";
import { labPaths } from "./paths.ts";
import { recipes } from "./recipes.ts";
import { requireVariant, variants, type Variant, type VariantName } from "./variants.ts";

const usage = `Usage: npm run lab -- up VARIANT[@IMAGE]…   start hosts, print them as JSON
       npm run lab -- down [NAME…]    remove hosts of this folder, by name or all
       npm run lab -- list            hosts of this folder as JSON
       npm run lab -- variants        what can be started
       npm run lab -- build [IMAGE…]  build images beforehand, by name or all
`;

const commands: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  up,
  down,
  list: async () => print(await savedHosts()),
  variants: async () => {
    for (const [name, { summary }] of Object.entries<Variant>(variants)) process.stdout.write(`${name.padEnd(24)}${summary}\n`);
  },
  build: async (names) => {
    const opened = await open();
    await opened.lab.build(names.length === 0 ? Object.keys(recipes) : names);
    if ((await savedHosts()).length === 0) await closeWithLease(opened);
  },
};

async function up(names: readonly string[]): Promise<void> {
  if (names.length === 0) throw new Error(`Which variant? One or more of ${Object.keys(variants).join(", ")}`);
  names.map((name) => name.split("@")[0] ?? "").forEach(requireVariant);
  const opened = await open();
  const started = await Promise.allSettled(names.map((name) => startAsAsked(opened, name)));
  const hosts = started.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  await Promise.all(hosts.map(save));
  print(hosts);
  const failures = started.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join("\n"));
}

/** `VARIANT`, or `VARIANT@IMAGE` for another image than the variant's own. */
function startAsAsked(opened: OpenedLab, name: string): Promise<LabHost> {
  const [variant, image] = name.split("@");
  return opened.lab.start(variant as VariantName, { image });
}

async function down(names: readonly string[]): Promise<void> {
  const hosts = await savedHosts();
  const chosen = names.length === 0 ? hosts.map(({ name }) => name) : names;
  const opened = await open();
  await removeHosts(opened.engine, chosen);
  await Promise.all(chosen.map((name) => rm(fileOf(name), { force: true })));
  if ((await savedHosts()).length === 0) await closeWithLease(opened);
}

const lease = folderLease(projectFolder(process.cwd()));

/** The nearest folder around `from` that is a project, so that it does not matter where in it a command is run. */
function projectFolder(from: string): string {
  for (let folder = from; folder !== path.dirname(folder); folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, "package.json"))) return folder;
  }
  return from;
}

function open(): Promise<OpenedLab> {
  return openWithLease(lease, (line) => process.stderr.write(`lab: ${line}\n`));
}

function fileOf(name: string): string {
  return path.join(labPaths.hosts, lease.id, `${name}.json`);
}

async function save(host: LabHostFacts): Promise<void> {
  await mkdir(path.dirname(fileOf(host.name)), { recursive: true });
  await writeFile(fileOf(host.name), JSON.stringify(host));
}

async function savedHosts(): Promise<LabHostFacts[]> {
  const folder = path.dirname(fileOf("any"));
  const names = await readdir(folder).catch(() => []);
  return await Promise.all(
    names.map(async (name) => JSON.parse(await readFile(path.join(folder, name), "utf8")) as LabHostFacts),
  );
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

const [commandName = "", ...args] = process.argv.slice(2);
const chosen = commands[commandName];
if (chosen === undefined) {
  process.stderr.write(usage);
  process.exitCode = 2;
} else {
  await chosen(args).catch((error: unknown) => {
    process.stderr.write(`lab: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
