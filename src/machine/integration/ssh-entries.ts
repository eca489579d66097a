/**
 * Entries of ssh_config for machines, so that docker's `ssh://`, rsync, editors and ssh itself reach them as this program does:
 * with their key, and with the pinned host key alone. Each stands in its machine's folder and goes with it; one file of the store
 * includes them all, and one line of the user's ssh_config includes that.
 */
import * as path from "node:path";
import { MachineError } from "../../errors/machine-error.ts";
import { configBlock, opensshOptions, quotePath } from "../../ssh/openssh-arguments.ts";
import { modeOf, realPathOf } from "../../store/foreign-files.ts";
import { makePrivateDirectory, readRegularFileIfExists, removeFile, writeFileAtomic } from "../../system/files.ts";
import { sshAliasOf } from "../host/engine-transport.ts";
import type { Host } from "../host/host.ts";
import type { MachineContext } from "../machine-context.ts";

const entryName = "ssh_config";

/** What others are to know of a machine; how this program itself connects is not for them. */
const told = new Set([
  "HostName",
  "Port",
  "User",
  "IdentityFile",
  "IdentitiesOnly",
  "HostKeyAlias",
  "UserKnownHostsFile",
  "GlobalKnownHostsFile",
  "StrictHostKeyChecking",
  "CheckHostIP",
  "UpdateHostKeys",
]);

/** What an entry of the user's own may say of the way to the host. */
const ways = ["hostname", "port", "user", "proxyjump", "proxycommand"] as const;

/** The machine's entry as text. Throws `driver-unsupported` where it has no SSH address. */
export async function sshEntryOf({ processes }: MachineContext, host: Host): Promise<string> {
  const target = await host.sshTarget();
  const options = Object.entries(opensshOptions(target)).filter(([name]) => told.has(name));
  const way = target.configHost === undefined ? {} : await wayTo(processes, target.configHost);
  const own = target.hostName === "" ? {} : { HostName: target.hostName };
  return configBlock(sshAliasOf(host.name), { ...way, ...own, ...Object.fromEntries(options) });
}

/** As ssh itself resolves an entry (`ssh -G`). */
async function wayTo(processes: MachineContext["processes"], configHost: string): Promise<Record<string, string>> {
  const { stdout } = await processes.run("ssh", ["-G", "--", configHost], { timeoutMs: 10_000 });
  const said = new Map(
    stdout
      .toString("utf8")
      .split("\n")
      .map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)] as const),
  );
  return Object.fromEntries(
    ways.flatMap((name) => (said.has(name) && said.get(name) !== "none" ? [[name, said.get(name) ?? ""]] : [])),
  );
}

/** Whether entries are kept for the machines of this store. */
export async function isInstalled({ store }: Pick<MachineContext, "store">): Promise<boolean> {
  return (await readRegularFileIfExists(path.join(store.root, entryName))) !== undefined;
}

/** What of the machine's entry is not as the machine is; nothing where no entries are kept. */
export async function sshEntryDrift(context: MachineContext, host: Host): Promise<string | undefined> {
  if (!(await isInstalled(context))) return undefined;
  const wanted = await entryIfAny(context, host);
  const present = (await readRegularFileIfExists(path.join(host.dir, entryName)))?.toString("utf8");
  return present === wanted ? undefined : `the entry ${sshAliasOf(host.name)} of ssh_config is not as the machine is`;
}

/** Writes the machine's entry where entries are kept. */
export async function refreshSshEntry(context: MachineContext, host: Host): Promise<void> {
  if ((await sshEntryDrift(context, host)) === undefined) return;
  const file = path.join(host.dir, entryName);
  const text = await entryIfAny(context, host);
  await (text === undefined ? removeFile(file) : writeFileAtomic(file, text, 0o600));
}

/** Undefined of a machine that has no SSH address, or none yet. */
async function entryIfAny(context: MachineContext, host: Host): Promise<string | undefined> {
  try {
    return await sshEntryOf(context, host);
  } catch (error) {
    if (error instanceof MachineError) return undefined;
    throw error;
  }
}

export interface Installation {
  /** The user's ssh_config. */
  readonly file: string;
  /** The line that it has from now on, or has already. */
  readonly line: string;
  readonly isThere: boolean;
}

/** What {@link installSshConfig} would do. Throws `store-unusable` without a home. */
export async function planInstallation({ computer, store }: MachineContext): Promise<Installation> {
  if (computer.homeDir === undefined)
    throw new MachineError("store-unusable", "No home directory is known, so there is no ssh_config");
  const file = path.join(computer.homeDir, ".ssh", "config");
  const line = `Include ${quotePath(path.join(store.root, entryName))}`;
  const text = (await readRegularFileIfExists(file))?.toString("utf8") ?? "";
  return { file, line, isThere: text.split(/\r?\n/u).includes(line) };
}

/**
 * Puts the line first into the user's ssh_config: behind a `Host` it would count for that alone. All else stays as it is, also
 * where the file is a link to somewhere else.
 */
export async function installSshConfig(context: MachineContext, { file, line, isThere }: Installation): Promise<void> {
  const all = quotePath(path.join(context.store.root, "machines", "*", entryName));
  await writeFileAtomic(path.join(context.store.root, entryName), `# Kept by docker-machine ssh-config\nInclude ${all}\n`, 0o600);
  if (isThere) return;
  await makePrivateDirectory(path.dirname(file));
  const real = (await realPathOf(file)) ?? file;
  const text = (await readRegularFileIfExists(real))?.toString("utf8") ?? "";
  await writeFileAtomic(real, `${line}\n${text === "" ? "" : `\n${text}`}`, (await modeOf(real)) ?? 0o600);
}

/** Takes the line out again, and the entries with it. */
export async function uninstallSshConfig(context: MachineContext, { file, line }: Installation): Promise<void> {
  const real = (await realPathOf(file)) ?? file;
  const text = (await readRegularFileIfExists(real))?.toString("utf8");
  if (text !== undefined) {
    const without = text.replace(`${line}\n\n`, "").replace(`${line}\n`, "");
    if (without !== text) await writeFileAtomic(real, without, (await modeOf(real)) ?? 0o600);
  }
  await removeFile(path.join(context.store.root, entryName));
  for (const name of await context.store.list()) await removeFile(path.join(context.store.machineDir(name), entryName));
}
