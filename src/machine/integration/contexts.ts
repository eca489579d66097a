/**
 * Docker contexts of machines: made when asked for, and from then on as their machine is. What is ours bears a mark in its
 * metadata, which `docker context update` keeps; what does not is never touched.
 */
import * as path from "node:path";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { removeFolder } from "../../store/foreign-files.ts";
import { makePrivateDirectory, readRegularFileIfExists, writeFileAtomic } from "../../system/files.ts";
import { engineUrlOf } from "../host/engine-connection.ts";
import { isOverSsh, sshAliasOf } from "../host/engine-transport.ts";
import type { Host } from "../host/host.ts";
import type { MachineContext } from "../machine-context.ts";
import {
  contextPaths,
  currentContext,
  dockerConfigFolder,
  setCurrentContext,
  inDockerFolder,
  type ContextPaths,
} from "./docker-config.ts";

/** docker reserves one of these and refuses names of a single letter. */
export function contextNameOf(machineName: string): string {
  return machineName === "default" || machineName.length < 2 ? `dm-${machineName}` : machineName;
}

interface Mark {
  readonly store: string;
  readonly machine: string;
  /** The address that it was given by us: where it has another, that is somebody's own. Marks of before have none. */
  readonly host?: string;
}

interface Meta {
  readonly Name: string;
  readonly Metadata?: { readonly Description?: string; readonly "docker-machine"?: Mark } & Readonly<Record<string, unknown>>;
  readonly Endpoints?: Readonly<Record<string, { readonly Host?: string; readonly SkipTLSVerify?: boolean }>>;
}

const certificateFiles = ["ca.pem", "cert.pem", "key.pem"] as const;

/** Makes the machine's context, or puts it right. Throws `context-foreign` where somebody else has one of that name. */
export async function makeContext(context: MachineContext, host: Host): Promise<void> {
  const folder = dockerConfigFolder(context.computer);
  const found = await readMeta(contextPaths(folder, contextNameOf(host.name)));
  if (found !== undefined && !isOurs(found, context, host.name)) throw foreign(contextNameOf(host.name));
  await writeContext(context, host, folder, found);
  sayWhatWasTheirs(context, host, found);
}

/** Removes the machine's context; true where there was one. Throws `context-foreign`. A current one is left first. */
export async function removeContext(context: MachineContext, name: string): Promise<boolean> {
  const folder = dockerConfigFolder(context.computer);
  const contextName = contextNameOf(name);
  const paths = contextPaths(folder, contextName);
  const found = await readMeta(paths);
  if (found === undefined) return false;
  if (!isOurs(found, context, name)) throw foreign(contextName);
  // A current context that is gone breaks every command of the client.
  if ((await currentContext(folder)) === contextName) await setCurrentContext(folder, undefined);
  await removeFolder(paths.metaFolder);
  await removeFolder(paths.tlsFolder);
  return true;
}

/** What of the machine's context is not as the machine is; nothing where it has none of ours. */
export async function contextDrift(context: MachineContext, host: Host): Promise<string | undefined> {
  const folder = dockerConfigFolder(context.computer);
  const paths = contextPaths(folder, contextNameOf(host.name));
  const found = await readMeta(paths);
  if (found === undefined || !isOurs(found, context, host.name)) return undefined;
  const wanted = await contentOf(host);
  const has = found.Endpoints?.["docker"]?.Host;
  if (isEdited(found)) return `the context "${contextNameOf(host.name)}" was changed by hand, and leads to ${has}`;
  if (has !== wanted.url) return `the context "${contextNameOf(host.name)}" has ${has}, and the machine ${wanted.url}`;
  for (const [file, text] of wanted.files) {
    const present = (await readRegularFileIfExists(path.join(paths.certificates, file)))?.toString("utf8");
    if (present !== text) return `the context "${contextNameOf(host.name)}" has another ${file} than the machine`;
  }
  return undefined;
}

/** Under the lock of a machine that was renamed: the context that it had by its old name is one of its new name. */
export async function moveContext(context: MachineContext, oldName: string, host: Host): Promise<void> {
  const folder = dockerConfigFolder(context.computer);
  const before = await readMeta(contextPaths(folder, contextNameOf(oldName)));
  if (before === undefined || !isOurs(before, context, oldName)) return;
  const isCurrent = (await currentContext(folder)) === contextNameOf(oldName);
  const taken = await readMeta(contextPaths(folder, contextNameOf(host.name)));
  if (taken !== undefined && !isOurs(taken, context, host.name)) throw foreign(contextNameOf(host.name));
  await writeContext(context, host, folder, withoutDescription(before, oldName));
  sayWhatWasTheirs(context, host, before);
  if (isCurrent) await setCurrentContext(folder, contextNameOf(host.name));
  await removeContext(context, oldName);
}

/** What the user wrote in its place stays. */
function withoutDescription(meta: Meta, name: string): Meta {
  const { Description: description, ...others } = meta.Metadata ?? {};
  return description === descriptionOf(name) ? { ...meta, Metadata: others } : meta;
}

function descriptionOf(name: string): string {
  return `Machine "${name}"`;
}

/** Puts the machine's context right where it has one of ours; one that was changed by hand only where that is asked for. */
export async function refreshContext(context: MachineContext, host: Host, alsoEdited = false): Promise<void> {
  if ((await contextDrift(context, host)) === undefined) return;
  const folder = dockerConfigFolder(context.computer);
  const found = await readMeta(contextPaths(folder, contextNameOf(host.name)));
  if (alsoEdited || found === undefined || !isEdited(found)) await writeContext(context, host, folder, found);
}

/** Whether somebody has it lead elsewhere than we did, or without looking at certificates. */
function isEdited({ Metadata, Endpoints }: Meta): boolean {
  const [given, has] = [Metadata?.["docker-machine"]?.host, Endpoints?.["docker"]];
  return given !== undefined && (has?.Host !== given || has.SkipTLSVerify === true);
}

/** What somebody changed by hand is put back by who asks for it, and not in silence. */
function sayWhatWasTheirs(context: MachineContext, { name }: Host, before: Meta | undefined): void {
  if (before === undefined || !isEdited(before)) return;
  const { Host: host, SkipTLSVerify: skips } = before.Endpoints?.["docker"] ?? {};
  const had = skips === true ? `${host} without a look at its certificate` : String(host);
  logTo(
    context.reportFor(name),
    "warn",
    `The docker context "${contextNameOf(name)}" was changed by hand, and led to ${had}: it leads to "${name}" again`,
  );
}

async function writeContext(context: MachineContext, host: Host, folder: string, before: Meta | undefined): Promise<void> {
  const name = contextNameOf(host.name);
  const paths = contextPaths(folder, name);
  const { url, files } = await contentOf(host);
  if (url === "") {
    throw new MachineError(
      "machine-not-running",
      `No address is known of "${host.name}", so there is nothing for a context to lead to`,
    );
  }
  const meta: Meta = {
    Name: name,
    Metadata: {
      Description: descriptionOf(host.name),
      ...before?.Metadata,
      "docker-machine": { store: context.store.root, machine: host.name, host: url },
    },
    Endpoints: { ...before?.Endpoints, docker: { Host: url, SkipTLSVerify: false } },
  };
  await inDockerFolder(async () => {
    if (files.length > 0) await makePrivateDirectory(paths.certificates);
    else await removeFolder(paths.tlsFolder);
    for (const [file, text] of files) await writeFileAtomic(path.join(paths.certificates, file), text, 0o600);
    await makePrivateDirectory(paths.metaFolder);
    await writeFileAtomic(paths.metaFile, JSON.stringify(meta), 0o644);
  });
}

interface Content {
  readonly url: string;
  readonly files: readonly (readonly [file: string, text: string])[];
}

async function contentOf(host: Host): Promise<Content> {
  if (isOverSsh(host)) return { url: `ssh://${sshAliasOf(host.name)}`, files: [] };
  const files: [string, string][] = [];
  for (const file of certificateFiles) {
    const bytes = await readRegularFileIfExists(path.join(host.dir, file));
    if (bytes !== undefined) files.push([file, bytes.toString("utf8")]);
  }
  return { url: await engineUrlOf(host), files };
}

/** Undefined where there is none; what cannot be read is somebody else's. */
async function readMeta({ metaFile }: ContextPaths): Promise<Meta | undefined> {
  const text = (await readRegularFileIfExists(metaFile))?.toString("utf8");
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Meta;
  } catch {
    return { Name: "" };
  }
}

function isOurs(meta: Meta, { store }: MachineContext, machine: string): boolean {
  const mark = meta.Metadata?.["docker-machine"];
  return mark?.store === store.root && mark.machine === machine;
}

function foreign(contextName: string): MachineError {
  return new MachineError(
    "context-foreign",
    `There is a docker context "${contextName}" that this program did not make for this store`,
    {
      hint: `If it is of no use any more: docker context rm ${contextName}`,
    },
  );
}
