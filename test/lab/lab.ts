/**
 * Real hosts for tests: systemd and sshd in containers made from Debian packages, on an engine that the lab starts
 * itself where none runs. Several processes share one lab; what each started ends with it, and what a killed one left
 * is removed by the next.
 */
import { mkdir, readFile } from "node:fs/promises";
import { lockFile, type FileLock } from "../../src/system/file-lock.ts";
import { ownCapabilities } from "./capabilities.ts";
import { findProgram } from "./command.ts";
import { endOwnEngine, openEngine, ownEngineRuns, type LabEngine } from "./engine.ts";
import { removeHosts, startHost, type LabHost } from "./host.ts";
import { openIdentity, type LabIdentity } from "./identity.ts";
import { ImageStore, ownerLabel } from "./images.ts";
import { giveBack, listLeases, processLease, takeLease, type Lease } from "./leases.ts";
import { installMissing } from "./outer-apt.ts";
import { labPaths } from "./paths.ts";
import { serveDockerRepository, type DockerRepository } from "./repositories/docker-debian.ts";
import { serveSystemRepositories, type SystemRepositories } from "./repositories/systems.ts";
import type { SystemName } from "./systems/systems.ts";
import { requireVariant, type VariantName } from "./variants.ts";

export type { DockerRepository } from "./repositories/docker-debian.ts";
export type { LabHost } from "./host.ts";
export type { SystemRepositories } from "./repositories/systems.ts";

/** Long enough for another process to install packages. */
const lockBoundMs = 600_000;

export interface StartOptions {
  /** Shell, run as root before systemd starts, after the variant's own. */
  readonly prepare?: string | undefined;
  /** Another image than the variant's, by its recipe's name: `sudo` on `bookworm-bare`. */
  readonly image?: string | undefined;
  /** Name of the container and its hostname; made up unless given. */
  readonly name?: string | undefined;
  /** In the lower half of the lab's subnet, which it gives to nobody by itself; any in the upper one unless given. */
  readonly address?: string | undefined;
}

export interface Lab extends AsyncDisposable {
  /** Value of DOCKER_HOST for the engine that carries the hosts. */
  readonly engineAddress: string;
  /** Address of this computer as the hosts see it: servers of a test listen there. */
  readonly gateway: string;
  /** Returns when the host is reachable by SSH and what its variant says. The first use of an image builds it. */
  start(variant: VariantName, options?: StartOptions): Promise<LabHost>;
  /** Builds images beforehand, two at a time. */
  build(images: readonly string[]): Promise<void>;
  /** Serves a signed repository with Docker's packages to the hosts. The first use builds it. */
  serveDockerRepository(): Promise<DockerRepository>;
  /** Serves those of a system beyond Debian, with Docker's for it. The first use builds them. */
  serveSystemRepositories(system: SystemName): Promise<SystemRepositories>;
  /** Removes the hosts of this process and, when nobody else uses it, ends the engine. Once for each {@link openLab}. */
  close(): Promise<void>;
}

export interface OpenOptions {
  /** Hears of what takes long; standard error by default. */
  readonly report?: ((line: string) => void) | undefined;
}

let shared: Promise<OpenedLab> | undefined;
let users = 0;

/** The lab of this process: opened by the first call, closed by the last {@link Lab.close}. */
export async function openLab(options: OpenOptions = {}): Promise<Lab> {
  const report = options.report ?? ((line: string) => process.stderr.write(`lab: ${line}\n`));
  users += 1;
  shared ??= processLease().then((lease) => openWithLease(lease, report));
  try {
    const opened = await shared;
    return { ...opened.lab, close: closeShared, [Symbol.asyncDispose]: closeShared };
  } catch (error) {
    users -= 1;
    shared = undefined;
    throw error;
  }
}

async function closeShared(): Promise<void> {
  users -= 1;
  if (users > 0 || shared === undefined) return;
  const opened = await shared;
  shared = undefined;
  await closeWithLease(opened);
}

/** Why there can be no lab on this computer, or undefined when there can. */
export async function labUnavailableReason(): Promise<string | undefined> {
  if (process.env["DOCKER_MACHINE_LAB"] === "off") return "DOCKER_MACHINE_LAB=off";
  if (process.platform !== "linux") return "the lab needs Linux";
  if (process.getuid?.() !== 0) return "the lab needs root: it starts a container engine and builds images";
  if ((await findProgram("apt-get")) === undefined) return "the lab needs apt: its hosts are made from Debian packages";
  if (!/\boverlay\b/u.test(await readFile("/proc/filesystems", "utf8"))) return "the lab needs a kernel with overlayfs";
  const capabilities = await ownCapabilities();
  const missing = ["SYS_ADMIN", "NET_ADMIN", "MKNOD"].filter((name) => !capabilities.includes(name));
  if (missing.length > 0) return `the lab needs the capabilities ${missing.join(", ")}`;
  return undefined;
}

/** A lab under a lease, with what is needed to close it. */
export interface OpenedLab {
  readonly lab: Omit<Lab, "close" | typeof Symbol.asyncDispose>;
  readonly engine: LabEngine;
  readonly lease: Lease;
}

export async function openWithLease(lease: Lease, report: (line: string) => void): Promise<OpenedLab> {
  const reason = await labUnavailableReason();
  if (reason !== undefined) throw new Error(`There is no lab here: ${reason}`);
  await mkdir(labPaths.root, { recursive: true, mode: 0o700 });
  await using _ = await lockLab("open");
  await installMissing(report);
  const engine = await openEngine(report);
  await takeLease(lease);
  await removeOrphans(engine, report);
  const identity = await openIdentity();
  return { lab: labOn(engine, identity, lease, report), engine, lease };
}

/** Removes the hosts of the lease, gives it back, and ends the engine when it was the last. */
export async function closeWithLease(opened: Pick<OpenedLab, "engine" | "lease">): Promise<void> {
  await using _ = await lockLab("close");
  await removeHosts(opened.engine, await containersOf(opened.engine, opened.lease.id));
  await giveBack(opened.lease);
  if ((await listLeases()).length === 0 && (await ownEngineRuns())) await endOwnEngine();
}

function lockLab(purpose: string): Promise<FileLock> {
  return lockFile(labPaths.lock, { what: "the lab", purpose, waitMs: lockBoundMs });
}

function labOn(engine: LabEngine, identity: LabIdentity, lease: Lease, report: (line: string) => void): OpenedLab["lab"] {
  const images = new ImageStore(engine, lease.id, report);
  return {
    engineAddress: engine.address,
    gateway: engine.segment.gateway,
    start: async (variantName, options = {}) => {
      const variant = requireVariant(variantName);
      return await startHost(engine, {
        ...options,
        variantName,
        variant,
        image: await images.require(options.image ?? variant.image),
        identity,
        owner: lease.id,
        rebootable: lease.kind === "process",
      });
    },
    serveDockerRepository: () => serveDockerRepository(engine, images),
    serveSystemRepositories: (system) => serveSystemRepositories(engine, images, system),
    build: async (names) => {
      const waiting = [...names];
      const work = async (): Promise<void> => {
        for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) await images.require(name);
      };
      await Promise.all([work(), work()]);
    },
  };
}

/** Removes what processes that were killed have left. */
async function removeOrphans(engine: LabEngine, report: (line: string) => void): Promise<void> {
  const owners = new Set((await listLeases()).map((lease) => lease.id));
  const lines = await listContainers(engine, `label=${ownerLabel}`);
  // Not ours: started by somebody from an image of the lab, whose labels it has.
  const owned = lines.filter(({ owner }) => owner !== "");
  const orphans = owned.filter(({ owner }) => engine.fresh || !owners.has(owner)).map(({ name }) => name);
  if (orphans.length > 0) report(`removing what an earlier run left: ${orphans.join(", ")}`);
  await removeHosts(engine, orphans);
}

async function containersOf(engine: LabEngine, owner: string): Promise<string[]> {
  return (await listContainers(engine, `label=${ownerLabel}=${owner}`)).map(({ name }) => name);
}

interface ListedContainer {
  readonly name: string;
  readonly owner: string;
}

async function listContainers(engine: LabEngine, filter: string): Promise<ListedContainer[]> {
  const format = `{{.Names}} {{.Label "${ownerLabel}"}}`;
  const output = await engine.docker(["ps", "--all", "--format", format, "--filter", filter]);
  const lines = output.split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const [name = "", owner = ""] = line.split(" ");
    return { name, owner };
  });
}
