/** A host of the lab: a container with systemd and sshd that a test can take for a machine. */
import { connect, type Socket } from "node:net";
import { randomBytes } from "node:crypto";
import { bootCommand } from "./boot.ts";
import { ownCapabilities } from "./capabilities.ts";
import { cableOf, layCable, type Cable } from "./cable.ts";
import { startCommand, tryCommand } from "./command.ts";
import { dockerEnvironment, type LabEngine } from "./engine.ts";
import { fingerprintOf, type LabIdentity } from "./identity.ts";
import { labLabel, ownerLabel } from "./images.ts";
import { readResolverConfiguration } from "./network.ts";
import type { Variant } from "./variants.ts";
import { waitUntil } from "./wait.ts";

export interface ExecResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ExecOptions {
  readonly stdin?: string | Uint8Array | undefined;
  /** 120 s unless told. */
  readonly timeoutMs?: number | undefined;
}

export interface LabHostFacts {
  readonly name: string;
  readonly variant: string;
  readonly address: string;
  readonly sshPort: number;
  readonly sshUser: string;
  readonly privateKeyPath: string;
  /** Host keys as known_hosts has them behind the address: `ssh-ed25519 AAAA…`. */
  readonly hostKeys: readonly string[];
  /** `SHA256:…`, in the order of {@link hostKeys}. */
  readonly hostKeyFingerprints: readonly string[];
  /** What sudo asks the user for, in variants where it asks. */
  readonly sudoPassword?: string | undefined;
}

export interface LabHost extends LabHostFacts, AsyncDisposable {
  /** Runs shell as root inside the host, past SSH. Any exit status is a result. */
  exec(script: string, options?: ExecOptions): Promise<ExecResult>;
  /** As {@link exec}, returns standard output without its last newline and throws on another status than 0. */
  sh(script: string, options?: ExecOptions): Promise<string>;
  /** Drops every packet to and from the host from now on, in silence. */
  cutCable(): Promise<void>;
  mendCable(): Promise<void>;
  /**
   * Takes the host's address away and gives it another, as a new lease does; connections over the old one hear nothing
   * more. Gives the host as it is reached from then on. It lasts until the host reboots.
   * @param wanted any free one unless told
   */
  changeAddress(wanted?: string): Promise<LabHost>;
  /** Whether the host is on. It is off after it shut itself down; a reboot ends with it on, at the same address. */
  isOn(): Promise<boolean>;
  /** Switches a host on that has shut itself down, and waits for its SSH banner. */
  powerOn(): Promise<void>;
  /** Removes the host with all that it holds. */
  stop(): Promise<void>;
}

export interface HostRequest {
  readonly variantName: string;
  readonly variant: Variant;
  readonly image: string;
  readonly identity: LabIdentity;
  /** Id of the lease that the host belongs to. */
  readonly owner: string;
  /** Shell that is run before systemd starts, after that of the variant. */
  readonly prepare?: string | undefined;
  readonly name?: string | undefined;
  readonly address?: string | undefined;
  /** Whether this process stays to switch the host on again when it reboots. */
  readonly rebootable: boolean;
}

// A busy computer may be ten times as slow as a quiet one; a bound that is not reached costs nothing.
const bannerBoundMs = 120_000;
const settleBoundMs = 180_000;
const execBoundMs = 120_000;
const sshPort = 22;

/** Starts a host and returns when it is reachable by SSH and what its variant says. Leaves nothing behind when it fails. */
export async function startHost(engine: LabEngine, request: HostRequest): Promise<LabHost> {
  const name = request.name ?? `lab-${request.variantName}-${randomBytes(3).toString("hex")}`;
  const cable = await layCable(engine.segment, request.address);
  try {
    await engine.docker(await runArguments(name, cable.address, request));
    await plugIn(engine, name, cable);
    await waitForBanner(engine, name, cable.address);
    const host = hostWith(engine, await factsOf(engine, name, cable.address, request));
    if (request.rebootable) keepRebootable(engine, name, cable);
    return host;
  } catch (error) {
    await removeHosts(engine, [name]);
    await cable.remove();
    throw error;
  }
}

async function factsOf(engine: LabEngine, name: string, address: string, request: HostRequest): Promise<LabHostFacts> {
  const hostKeys = await settle(engine, name, request.variant);
  return {
    name,
    variant: request.variantName,
    address,
    sshPort,
    sshUser: request.variant.user ?? "root",
    privateKeyPath: request.identity.privateKeyPath,
    hostKeys,
    hostKeyFingerprints: hostKeys.map(fingerprintOf),
    ...(request.variant.sudoPassword === undefined ? {} : { sudoPassword: request.variant.sudoPassword }),
  };
}

/** The methods of a host around its facts. */
function hostWith(engine: LabEngine, facts: LabHostFacts): LabHost {
  const cable = cableOf(engine.segment, facts.address);
  const stop = (): Promise<void> => removeHosts(engine, [facts.name]);
  return {
    ...facts,
    exec: (script, options) => tryExec(engine, facts.name, script, options),
    sh: (script, options) => execInHost(engine, facts.name, script, options),
    cutCable: () => cable.cut(),
    mendCable: () => cable.mend(),
    changeAddress: async (wanted) => {
      const next = await layCable(engine.segment, wanted);
      await cable.remove();
      await plugIn(engine, facts.name, next);
      return hostWith(engine, { ...facts, address: next.address });
    },
    isOn: () => isRunning(engine, facts.name),
    powerOn: async () => {
      await switchOn(engine, facts.name, cable);
      keepRebootable(engine, facts.name, cable);
      await waitForBanner(engine, facts.name, facts.address);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Removes containers with their volumes; those that are gone already are no error. */
export async function removeHosts(engine: LabEngine, names: readonly string[]): Promise<void> {
  if (names.length > 0) await engine.docker(["rm", "--force", "--volumes", ...names]).catch(ignoreMissing);
}

function ignoreMissing(error: unknown): void {
  if (!/No such container|is already in progress/u.test(String(error))) throw error;
}

async function switchOn(engine: LabEngine, name: string, cable: Cable): Promise<void> {
  await engine.docker(["start", name]);
  await plugIn(engine, name, cable);
}

async function plugIn(engine: LabEngine, name: string, cable: Cable): Promise<void> {
  const pid = Number(await engine.docker(["inspect", "--format", "{{.State.Pid}}", name]));
  if (pid === 0) throw new Error(await describeEnd(engine, name));
  await cable.plugInto(pid);
}

/** The status of a container whose process 1 has called for a reboot: ended by SIGHUP, pid_namespaces(7). */
const rebootStatus = "129";

/** Does what the hardware does on a reboot. Watches as long as this process lives and the host is not removed. */
function keepRebootable(engine: LabEngine, name: string, cable: Cable): void {
  const watch = startCommand("docker", ["wait", name], {
    env: dockerEnvironment(engine.address),
    stdio: ["ignore", "pipe", "ignore"],
  });
  let printed = "";
  watch.stdout?.on("data", (chunk: Buffer) => (printed += chunk.toString()));
  watch.once("close", () => {
    if (printed.trim() !== rebootStatus) return;
    switchOn(engine, name, cable).then(
      () => keepRebootable(engine, name, cable),
      // Removed in the meantime.
      () => {},
    );
  });
  watch.once("error", () => {});
  watch.unref();
  (watch.stdout as Socket | null)?.unref();
}

async function runArguments(name: string, address: string, request: HostRequest): Promise<string[]> {
  const { variant, identity } = request;
  const prepare = `${variant.prepare ?? ""}\n${request.prepare ?? ""}`;
  const boot = bootCommand({
    resolverConfiguration: await readResolverConfiguration(),
    publicKey: identity.publicKey,
    user: variant.user ?? "root",
    prepare,
    boot: variant.boot ?? "",
  });
  return [
    ["run", "--detach", "--name", name, "--hostname", name],
    ["--network", "none", "--add-host", `${name}:${address}`],
    ["--label", `${labLabel}=host`, "--label", `${ownerLabel}=${request.owner}`],
    (await ownCapabilities()).flatMap((capability) => ["--cap-add", capability]),
    ["seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined"].flatMap((option) => ["--security-opt", option]),
    ["--device-cgroup-rule", "a *:* rwm", "--cgroupns", "private"],
    ["--tmpfs", "/run", "--stop-signal", "SIGRTMIN+3"],
    [request.image, "sh", "-c", boot],
  ].flat();
}

async function waitForBanner(engine: LabEngine, name: string, address: string): Promise<void> {
  let attempts = 0;
  await waitUntil(`an SSH banner of ${name} at ${address}`, bannerBoundMs, async () => {
    if ((await readBanner(address)).startsWith("SSH-2.0")) return true;
    attempts += 1;
    // Asking the engine costs more than asking the port.
    if (attempts % 25 === 0 && !(await isRunning(engine, name))) throw new Error(await describeEnd(engine, name));
    return undefined;
  });
}

async function isRunning(engine: LabEngine, name: string): Promise<boolean> {
  return (await engine.docker(["inspect", "--format", "{{.State.Running}}", name])) === "true";
}

async function describeEnd(engine: LabEngine, name: string): Promise<string> {
  return `The host ${name} ended while it booted:\n${await engine.docker(["logs", "--tail", "15", name])}`;
}

function readBanner(address: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: sshPort });
    const finish = (banner: string): void => {
      socket.destroy();
      resolve(banner);
    };
    socket.setTimeout(1_000, () => finish(""));
    socket.once("error", () => finish(""));
    socket.once("close", () => finish(""));
    socket.once("data", (chunk) => finish(chunk.toString()));
  });
}

/** Of OpenSSH or, where there is none, of dropbear. */
const printHostKeys = `
cat /etc/ssh/ssh_host_*_key.pub 2> /dev/null || for key in /etc/dropbear/dropbear_*_host_key; do
  dropbearkey -y -f "$key"
done | grep -E '^(ssh|ecdsa)-'`;

/** Waits until the host is what its variant says, and returns its host keys. */
async function settle(engine: LabEngine, name: string, variant: Variant): Promise<string[]> {
  const script = `set -eu\n{ ${variant.settle ?? "true"}\n} >&2\n${printHostKeys}`;
  const lines = (await execInHost(engine, name, script, { timeoutMs: settleBoundMs })).split("\n");
  return lines.map((line) => line.split(" ").slice(0, 2).join(" ")).toSorted();
}

async function tryExec(engine: LabEngine, name: string, script: string, options: ExecOptions = {}): Promise<ExecResult> {
  const { stdin, timeoutMs } = options;
  const interactive = stdin === undefined ? [] : ["--interactive"];
  const args = ["exec", ...interactive, name, "sh", "-c", script];
  const result = await tryCommand("docker", args, {
    stdin,
    timeoutMs: timeoutMs ?? execBoundMs,
    env: dockerEnvironment(engine.address),
  });
  return { status: result.status, stdout: result.stdout.toString(), stderr: result.stderr.toString() };
}

async function execInHost(engine: LabEngine, name: string, script: string, options?: ExecOptions): Promise<string> {
  const result = await tryExec(engine, name, script, options);
  if (result.status === 0) return result.stdout.trimEnd();
  throw new Error(`In ${name}, status ${result.status} of: ${script.trim()}\n${result.stdout}${result.stderr}`);
}
