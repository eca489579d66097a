/**
 * How a `docker` machine comes into being: image, network, container, its own keys in it before it starts. What an
 * engine cannot give, a capability, an address, a port, shows when the container starts, so starting is tried with the
 * next best.
 */
import { defaultEnginePort } from "../../engine/engine-address.ts";
import { createHash, randomUUID } from "node:crypto";
import * as path from "node:path";
import { forgetHostKeys, newGuestIdentity, publicHalves, type GuestIdentity } from "../../driver-kit/guest/guest-identity.ts";
import { guestSshPort } from "../../driver-kit/guest/guest-ports.ts";
import { isApiError, type EngineApi } from "../../engine/engine-api.ts";
import { MachineError, messageOf } from "../../errors/machine-error.ts";
import { lockFile } from "../../system/file-lock.ts";
import { makePrivateDirectory, readFileIfExists } from "../../system/files.ts";
import { pickFreePort } from "../../system/loopback-port.ts";
import { capabilitySets, isCapabilityComplaint, setsAfter } from "./capabilities.ts";
import type { DockerConfig } from "./config.ts";
import { containerBody, createIdLabel, identityArchive, networkName, type ContainerWish } from "./container.ts";
import { chooseReach } from "./endpoint.ts";
import { provideImage } from "./host-image.ts";
import { ensureNetwork, pickAddress } from "./network.ts";
import { addressOf, startTimeoutMs } from "./running.ts";
import type { Workplace } from "./workplace.ts";

const lockWaitMs = 120_000;
const attempts = 12;

/** Makes and starts the machine; what an earlier attempt left is thrown away first, for nobody has used it. */
export async function createInstance(place: Workplace, signal: AbortSignal): Promise<void> {
  const { api, config, context, endpoint } = place;
  config.ContainerName ||= `${context.machineName}-${nameSuffix(context.createId)}`;
  config.Reach = chooseReach(config.Reach, endpoint, context.computer);
  await context.save();
  await removeContainers(place, signal);
  const image = await provideImage(api, context, config.Image, config.ImageMirror, signal);
  const { identity, sshKeyPath } = await newGuestIdentity(context, config.SSHUser, ["ed25519"]);
  config.SSHKeyPath = sshKeyPath;
  config.HostKey = publicHalves(identity.hostKeys)[0] ?? "";
  await startSomehow(place, image, identity, signal);
  config.IPAddress = await addressOf(place, signal);
  config.Created = true;
  await context.save();
  await forgetHostKeys(context);
}

/**
 * The machine's container, started or not: the recorded one, and while none is recorded what bears this create's id and
 * the name that create chose. The label alone proves nothing: `docker commit` hands it on to images and their containers.
 */
export async function findContainers({ api, config, context }: Workplace, signal: AbortSignal): Promise<readonly string[]> {
  const filters = ownFilters(config, context.createId);
  if (filters === undefined) return [];
  const query = { all: "true", filters: JSON.stringify(filters) };
  const found = (await api.send("GET", "/containers/json", { query, signal })) as readonly {
    Id: string;
    Names: readonly string[];
  }[];
  const isOurs = (names: readonly string[]): boolean => config.ContainerId !== "" || names.includes(`/${config.ContainerName}`);
  return found.filter(({ Names }) => isOurs(Names)).map(({ Id }) => Id);
}

function ownFilters({ ContainerId, ContainerName }: DockerConfig, createId: string | undefined): object | undefined {
  if (ContainerId !== "") return { id: [ContainerId] };
  if (ContainerName === "" || createId === undefined) return undefined;
  return { label: [`${createIdLabel}=${createId}`] };
}

export async function removeContainers(place: Workplace, signal: AbortSignal): Promise<void> {
  for (const id of await findContainers(place, signal)) await removeContainer(place.api, id, signal);
}

async function removeContainer(api: EngineApi, id: string, signal: AbortSignal): Promise<void> {
  await api
    .send("DELETE", `/containers/${id}`, { query: { force: "true", v: "true" }, signal, timeoutMs: startTimeoutMs })
    .catch((error: unknown) => {
      // 409: somebody else is removing it.
      if (!isApiError(error, 404) && !isApiError(error, 409)) throw error;
    });
}

/** Of the same create always the same; of one that has no id, none that was before. */
function nameSuffix(createId: string | undefined): string {
  return createHash("sha256")
    .update(createId ?? randomUUID())
    .digest("hex")
    .slice(0, 8);
}

/** What had to be given up so far because the engine refused it. */
interface Concessions {
  /** Sets still to try; the first is the one in use. */
  capabilities: readonly (readonly string[])[];
  readonly addresses: Set<string>;
}

interface MadeContainer {
  readonly id: string;
  readonly address: string | undefined;
}

async function startSomehow(place: Workplace, image: string, identity: GuestIdentity, signal: AbortSignal): Promise<void> {
  const concessions: Concessions = { capabilities: capabilitySets(await ownStatus(place)), addresses: new Set() };
  for (let attempt = 1; ; attempt++) {
    let made: MadeContainer | undefined;
    try {
      made = await makeContainer(place, image, concessions, signal);
      const { id } = made;
      await requireInit(place.api, id, image, signal);
      await place.api.send("PUT", `/containers/${id}/archive`, {
        query: { path: "/" },
        body: identityArchive(identity),
        signal,
      });
      await place.api.send("POST", `/containers/${id}/start`, { signal, timeoutMs: startTimeoutMs });
      return;
    } catch (error) {
      if (made !== undefined) await removeContainer(place.api, made.id, AbortSignal.timeout(startTimeoutMs));
      signal.throwIfAborted();
      if (attempt === attempts || !concede(concessions, messageOf(error), made?.address)) throw explainStart(error, image);
    }
  }
}

/** Gives up what the engine complains about. False when there is nothing to give up. */
function concede(concessions: Concessions, complaint: string, address: string | undefined): boolean {
  if (isCapabilityComplaint(complaint)) {
    concessions.capabilities = setsAfter(complaint, concessions.capabilities);
    return concessions.capabilities.length > 0;
  }
  if (address !== undefined) concessions.addresses.add(address);
  return /address already in use|port is already allocated/iu.test(complaint);
}

/** The capabilities of a process beside the engine say what the engine can give; of a distant engine nothing is known. */
async function ownStatus({ endpoint, context }: Workplace): Promise<string> {
  if (endpoint.kind !== "socket" || context.computer.os !== "linux") return "";
  return (await readFileIfExists("/proc/self/status"))?.toString("utf8") ?? "";
}

function explainStart(error: unknown, image: string): unknown {
  if (!/exec format error/iu.test(messageOf(error))) return error;
  return new MachineError("image-unusable", `The image ${image} is for another architecture than the engine's computer`, {
    cause: error,
  });
}

/** Makes the container, and its id durable, under a lock: the address it asks for must not be given out twice. */
async function makeContainer(
  place: Workplace,
  image: string,
  concessions: Concessions,
  signal: AbortSignal,
): Promise<MadeContainer> {
  const { api, config, context } = place;
  const folder = path.join(context.cacheDir, "docker");
  await makePrivateDirectory(folder);
  await using _lock = await lockFile(path.join(folder, "addresses.lock"), {
    what: "The engine's network",
    purpose: "choose an address",
    waitMs: lockWaitMs,
    signal,
    clock: context.clock,
  });
  const wish = await wishOf(place, image, concessions, signal);
  // While none is recorded, what bears the name and the mark is found: an id of an attempt that failed would hide this one.
  if (config.ContainerId !== "") {
    config.ContainerId = "";
    await context.save();
  }
  const { Id } = (await api.send("POST", "/containers/create", {
    query: { name: config.ContainerName },
    body: containerBody(wish),
    signal,
  })) as { Id: string };
  config.ContainerId = Id;
  await context.save();
  return { id: Id, address: wish.address };
}

async function wishOf(place: Workplace, image: string, concessions: Concessions, signal: AbortSignal): Promise<ContainerWish> {
  const { config, context, endpoint } = place;
  const published = config.Reach === "ports";
  config.SSHPort = published ? await pickFreePort(new Set()) : guestSshPort;
  config.EnginePort = published ? await pickFreePort(new Set([config.SSHPort])) : defaultEnginePort;
  const hostIp = endpoint.kind === "socket" ? "127.0.0.1" : "";
  return {
    machineName: context.machineName,
    createId: context.createId,
    image,
    capabilities: concessions.capabilities[0] ?? [],
    memoryMiB: config.Memory,
    cpus: Number(config.CPUs),
    network: networkName(config.Network),
    address: config.Network === "" ? await ownAddress(place, concessions, signal) : undefined,
    publish: published ? { hostIp, sshPort: config.SSHPort, enginePort: config.EnginePort } : undefined,
  };
}

async function ownAddress({ api }: Workplace, concessions: Concessions, signal: AbortSignal): Promise<string> {
  return await pickAddress(api, await ensureNetwork(api, signal), concessions.addresses, signal);
}

/** Throws `image-unusable` for an image that cannot be a machine, instead of a container that ends at once. */
async function requireInit(api: EngineApi, id: string, image: string, signal: AbortSignal): Promise<void> {
  for (const [file, what] of [
    ["/sbin/init", "systemd"],
    ["/usr/sbin/sshd", "sshd"],
  ] as const) {
    await api.send("GET", `/containers/${id}/archive`, { query: { path: file }, signal }).catch((error: unknown) => {
      if (!isApiError(error, 404)) throw error;
      throw new MachineError("image-unusable", `The image ${image} cannot be a machine: it has no ${what} (${file})`, {
        hint: "Use --docker-image build, or an image with systemd and sshd in it.",
      });
    });
  }
}
