/**
 * The engine that carries the lab's hosts. One that already runs on this computer is used as it is; where none runs,
 * the lab starts its own dockerd with its own data, socket and bridge, and ends it again.
 */
import { closeSync, openSync } from "node:fs";
import { access, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { readFileIfExists, writeFileAtomic } from "../../src/system/files.ts";
import { identifyProcess, isSameProcess, type ProcessIdentity } from "../../src/system/process-identity.ts";
import { command, commandEnvironment, lastLines, startCommand, tryCommand } from "./command.ts";
import { networkOn, segmentOf, setUpNetwork, takeDownNetwork, type LabNetwork, type LabSegment } from "./network.ts";
import { labPaths } from "./paths.ts";
import { waitUntil } from "./wait.ts";

/** The socket of an engine that this computer has anyhow. */
const systemSocket = process.env["DOCKER_MACHINE_LAB_ENGINE"] ?? "/var/run/docker.sock";
const startBoundMs = 120_000;
const endBoundMs = 60_000;
const commandBoundMs = 180_000;

export interface LabEngine {
  /** Value of DOCKER_HOST. */
  readonly address: string;
  readonly segment: LabSegment;
  /** True when it was started just now: hosts that it knows of are remains of a time before. */
  readonly fresh: boolean;
  /** Docker's command line against this engine; returns standard output. */
  readonly docker: (args: readonly string[], options?: DockerOptions) => Promise<string>;
}

export interface DockerOptions {
  readonly stdin?: string | Uint8Array | undefined;
  readonly timeoutMs?: number | undefined;
}

interface EngineState {
  readonly network: LabNetwork;
  readonly process?: ProcessIdentity | undefined;
}

/** The running engine, found or started. The caller holds the lab's lock. */
export async function openEngine(report: (line: string) => void): Promise<LabEngine> {
  const state = await readState();
  if (state?.process !== undefined && (await isSameProcess(state.process)) && (await answers(ownAddress))) {
    return engineAt(ownAddress, segmentOf(state.network), false);
  }
  if (state !== undefined) await endOwnEngine();
  const adopted = (await answers(systemAddress)) ? await adoptSystemEngine(report) : undefined;
  if (adopted !== undefined) return adopted;
  report("starting an engine of its own");
  return await startOwnEngine();
}

/** Ends the engine if the lab started it, and undoes what was set up for it. The caller holds the lab's lock. */
export async function endOwnEngine(): Promise<void> {
  const state = await readState();
  if (state === undefined) return;
  if (state.process !== undefined) await endProcess(state.process);
  await endLeftBehind("containerd/containerd.pid");
  await takeDownNetwork(state.network);
  await unmountLeftovers();
  await rm(labPaths.engine.exec, { recursive: true, force: true });
  await rm(labPaths.engine.pid, { force: true });
  await rm(labPaths.engine.socket, { force: true });
  await rm(labPaths.engine.state, { force: true });
}

/** Whether the lab has an engine of its own running. */
export async function ownEngineRuns(): Promise<boolean> {
  const state = await readState();
  return state?.process !== undefined && (await isSameProcess(state.process));
}

const ownAddress = `unix://${labPaths.engine.socket}`;
const systemAddress = `unix://${systemSocket}`;

/** Undefined when its hosts could not be reached from here: it has no bridge, or in another container's network. */
async function adoptSystemEngine(report: (line: string) => void): Promise<LabEngine | undefined> {
  const format = '{{index .Options "com.docker.network.bridge.name"}}';
  const inspected = await tryCommand("docker", ["network", "inspect", "bridge", "--format", format], {
    env: dockerEnvironment(systemAddress),
  });
  const bridge = inspected.stdout.toString().trim();
  // The engine itself does not always tell: 20.10 reports no gateway for its default bridge.
  const network = bridge === "" ? undefined : await networkOn(bridge);
  if (network !== undefined) return engineAt(systemAddress, segmentOf(network), false);
  report(`the engine at ${systemSocket} has no bridge that this computer reaches its containers by`);
  return undefined;
}

async function startOwnEngine(): Promise<LabEngine> {
  await mkdir(labPaths.root, { recursive: true });
  await writeFile(labPaths.engine.config, "{}\n");
  const network = await setUpNetwork();
  await writeState({ network });
  const log = openSync(labPaths.engine.log, "w", 0o600);
  const child = startCommand("dockerd", engineArguments(network), { detached: true, stdio: ["ignore", log, log] });
  closeSync(log);
  child.unref();
  let ended = false;
  child.once("exit", () => (ended = true));
  child.once("error", () => (ended = true));
  if (child.pid !== undefined) await writeState({ network, process: await identifyProcess(child.pid) });
  await waitUntil("the start of the lab's dockerd", startBoundMs, async () => {
    if (ended) throw new Error(`The lab's dockerd did not start:\n${await logTail()}`);
    return (await answers(ownAddress)) ? true : undefined;
  });
  return engineAt(ownAddress, segmentOf(network), true);
}

function engineArguments(network: LabNetwork): string[] {
  return [
    `--bridge=${network.bridge}`,
    `--fixed-cidr=${network.subnet}`,
    "--iptables=false",
    "--ip6tables=false",
    "--ip-forward=false",
    "--ip-masq=false",
    "--log-level=warn",
    `--data-root=${labPaths.engine.data}`,
    `--exec-root=${labPaths.engine.exec}`,
    `--pidfile=${labPaths.engine.pid}`,
    // An engine of the computer, or what is left of one, must not lend this one its configuration.
    `--config-file=${labPaths.engine.config}`,
    `--host=${ownAddress}`,
  ];
}

/** What points Docker's command line at an engine, and at nothing else of the user's. */
export function dockerEnvironment(address: string): NodeJS.ProcessEnv {
  return { ...commandEnvironment, DOCKER_HOST: address, DOCKER_TLS_VERIFY: undefined, DOCKER_CONTEXT: undefined };
}

function engineAt(address: string, segment: LabSegment, fresh: boolean): LabEngine {
  return {
    address,
    segment,
    fresh,
    docker: (args, options = {}) =>
      command("docker", args, { timeoutMs: commandBoundMs, env: dockerEnvironment(address), ...options }),
  };
}

async function answers(address: string): Promise<boolean> {
  const there = await access(address.replace("unix://", "")).then(
    () => true,
    () => false,
  );
  if (!there) return false;
  const options = { env: dockerEnvironment(address), timeoutMs: 30_000 };
  const version = await tryCommand("docker", ["version", "--format", "{{.Server.Version}}"], options);
  return version.status === 0;
}

async function endProcess(noted: ProcessIdentity): Promise<void> {
  if (!(await isSameProcess(noted))) return;
  process.kill(noted.pid, "SIGTERM");
  const gone = async (): Promise<true | undefined> => ((await isSameProcess(noted)) ? undefined : true);
  await waitUntil("the end of the lab's dockerd", endBoundMs, gone).catch(() => {
    process.kill(noted.pid, "SIGKILL");
  });
}

/** A dockerd that was killed leaves its containerd running. */
async function endLeftBehind(pidFile: string): Promise<void> {
  const pid = Number((await readFileIfExists(`${labPaths.engine.exec}/${pidFile}`))?.toString() ?? 0);
  if (pid === 0) return;
  const program = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  const identity = await identifyProcess(pid);
  if (identity !== undefined && program.includes(labPaths.engine.exec)) await endProcess(identity);
}

async function unmountLeftovers(): Promise<void> {
  const mounts = (await readFile("/proc/self/mounts", "utf8")).split("\n").map((line) => line.split(" ")[1] ?? "");
  for (const mount of mounts.toReversed()) {
    if (mount.startsWith(`${labPaths.root}/`)) await tryCommand("umount", ["--lazy", mount]);
  }
}

async function readState(): Promise<EngineState | undefined> {
  const text = await readFileIfExists(labPaths.engine.state);
  return text === undefined ? undefined : (JSON.parse(text.toString()) as EngineState);
}

async function writeState(state: EngineState): Promise<void> {
  await writeFileAtomic(labPaths.engine.state, JSON.stringify(state), 0o600);
}

async function logTail(): Promise<string> {
  return lastLines(await readFile(labPaths.engine.log, "utf8").catch(() => ""), 15);
}
