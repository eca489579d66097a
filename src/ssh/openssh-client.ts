/**
 * The `ssh` program for one target: its arguments, its log, and the first contact that settles a host key. Knows
 * nothing of multiplexing.
 */
import { open } from "node:fs/promises";
import * as path from "node:path";
import { MachineError } from "../errors/machine-error.ts";
import { writeFileAtomic } from "../system/files.ts";
import { agentKeyFor } from "./agent-keys.ts";
import { isOwnBound } from "./ssh-bounds.ts";
import type { SshTarget } from "./executor.ts";
import {
  ensurePinnedKeys,
  firstKeysOf,
  hostKeyAlgorithms,
  pinFirstKey,
  type ConfiguredVerdict,
  type FirstKeys,
} from "./host-keys.ts";
import {
  keyMalformed,
  loadPrivateKey,
  passphraseNeeded,
  portablePrivateKey,
  publicHalfMissing,
  type PrivateKey,
} from "./keys.ts";
import { parseKnownHosts } from "./known-hosts.ts";
import {
  hostKeyJudgementOptions,
  hostKeyScanOptions,
  notAsked,
  opensshDestination,
  opensshOptions,
  optionArguments,
  type OpenSshOptions,
} from "./openssh-arguments.ts";
import { diagnose, presentedKey, verdictIn } from "./openssh-diagnosis.ts";
import { inPrivateFolder } from "./private-folder.ts";
import { fingerprintOf, formatPublicKey, parsePublicKey, type PublicKey } from "./public-key.ts";
import type { SshContext } from "./ssh-context.ts";

export class OpenSshClient {
  readonly program: string;
  readonly context: SshContext;
  readonly target: SshTarget;
  /** The target with address, port and user as ssh_config resolves them: for messages and for known_hosts. */
  readonly resolved: SshTarget;
  /** The key needs a passphrase: it works only if an agent holds it. */
  readonly encryptedKey: boolean;
  /** The entry of ssh_config wants no host to be trusted that is not known. */
  readonly #strict: boolean;

  private constructor(program: string, context: SshContext, target: SshTarget, resolved: Resolved, encryptedKey: boolean) {
    this.program = program;
    this.context = context;
    this.target = target;
    this.resolved = resolved.target;
    this.#strict = resolved.strict;
    this.encryptedKey = encryptedKey;
  }

  /** Looks at what is on this computer; talks to nobody. Throws `program-missing`, `ssh-key-unusable`. */
  static async prepare(target: SshTarget, context: SshContext, signal: AbortSignal): Promise<OpenSshClient> {
    const program = await context.processes.find("ssh");
    if (program === undefined) {
      throw new MachineError("program-missing", "ssh is not installed on this computer, or not on PATH", {
        hint: "Install the OpenSSH client, or use --native-ssh.",
      });
    }
    const key = target.identityFile === undefined ? undefined : await loadPrivateKey(target.identityFile, context.computer);
    if (key?.flaw !== undefined) await mendKey(key, target);
    if (key !== undefined && key.encrypted && key.publicKey === undefined) await findPublicHalf(key, target, context, signal);
    const resolved = await resolveConfigHost(program, target, context, signal);
    return new OpenSshClient(program, context, target, resolved, key?.encrypted ?? false);
  }

  /** All arguments up to the destination, with options in place of or on top of the target's own. */
  arguments(options: OpenSshOptions): string[] {
    return optionArguments(this.target, { ...opensshOptions(this.target), ...options }, this.context.sshConfigFile);
  }

  /** As the function of this name. */
  async firstKeys(): Promise<FirstKeys | undefined> {
    return await firstKeysOf(this.resolved);
  }

  /**
   * Pins the key that the host showed in a first contact, if it came so far.
   * @param file known_hosts of that connection: the keys it could show, or the one it did
   */
  async pinFirstKey(file: string, log: string): Promise<void> {
    const text = await readText(file);
    const keys = text.endsWith("\n") ? parseKnownHosts(text).map(({ key }) => key) : [];
    const shown = presentedKey(log)?.fingerprint;
    const key = keys.find((known) => fingerprintOf(known) === shown);
    if (key !== undefined) await pinFirstKey(this.resolved, key, this.context.report);
  }

  /** Settles which host key the target may present. Returns only when that stands in its file. */
  async establishTrust(signal: AbortSignal): Promise<void> {
    const judge = this.target.configHost === undefined ? undefined : async () => await this.#judge(signal);
    await ensurePinnedKeys(this.resolved, (types) => this.#scan(types, signal), this.context.report, judge);
  }

  /** What ssh says of the host's key by the user's own ssh_config, of which nothing is left out. */
  async #judge(signal: AbortSignal): Promise<ConfiguredVerdict> {
    return await inPrivateFolder(this.context.computer, async (folder) => {
      const logFile = path.join(folder, "log");
      const options = { ...hostKeyJudgementOptions(this.target), LogLevel: "DEBUG1" };
      const args = [...optionArguments(this.target, options, this.context.sshConfigFile), "-E", logFile, "-T", "--"];
      const { log, ended } = await this.runToEnd([...args, opensshDestination(this.target), "exit"], logFile, signal);
      return await verdictIn(this.resolved, log, ended, this.encryptedKey, this.#strict);
    });
  }

  async #scan(keyTypes: readonly string[] | undefined, signal: AbortSignal): Promise<PublicKey | undefined> {
    return await inPrivateFolder(this.context.computer, (folder) => this.#scanInto(folder, keyTypes, signal));
  }

  async #scanInto(folder: string, keyTypes: readonly string[] | undefined, signal: AbortSignal): Promise<PublicKey | undefined> {
    const file = path.join(folder, "known_hosts");
    const algorithms = keyTypes === undefined ? undefined : hostKeyAlgorithms(keyTypes);
    const options = { ...hostKeyScanOptions(this.target, file, algorithms), LogLevel: "DEBUG1" };
    const logFile = path.join(folder, "log");
    // With no method of login left, ssh ends by itself. A host that lets anyone in is given a command that ends at once.
    const args = [...optionArguments(this.target, options, this.context.sshConfigFile), "-E", logFile, "-T", "--"];
    const outcome = await this.runToEnd([...args, opensshDestination(this.target), "exit"], logFile, signal);
    const [entry] = parseKnownHosts(await readText(file));
    if (entry !== undefined) return entry.key;
    if (keyTypes !== undefined && /no matching host key type/u.test(outcome.log)) return undefined;
    throw await diagnose(this.resolved, outcome.log, outcome.ended, this.encryptedKey);
  }

  /** Runs ssh without input. Our own bound stopping it is an outcome here, as its log says how far it came. */
  async runToEnd(
    args: readonly string[],
    logFile: string,
    signal: AbortSignal,
  ): Promise<{ readonly ended: boolean; readonly log: string }> {
    try {
      const { stderr } = await this.context.processes.run(this.program, args, { signal });
      return { ended: true, log: `${await readText(logFile)}\n${stderr.toString("utf8")}` };
    } catch (error) {
      if (!isOwnBound(signal)) throw error;
      return { ended: false, log: await readText(logFile) };
    }
  }
}

interface Resolved {
  readonly target: SshTarget;
  readonly strict: boolean;
}

/** The copy in a machine's folder is ours to be put right; the user's own file is told of. Throws `ssh-key-unusable`. */
async function mendKey(key: PrivateKey, target: SshTarget): Promise<void> {
  if (!isInMachineFolder(key, target)) throw keyMalformed(key);
  await writeFileAtomic(key.path, portablePrivateKey(key), 0o600);
}

function isInMachineFolder(key: PrivateKey, target: SshTarget): boolean {
  return path.dirname(key.path) === path.dirname(target.hostKeys.knownHostsFile);
}

/**
 * OpenSSH asks an agent for a key by its public half only, which it reads from `KEY.pub`. The agent that holds the key
 * tells it; it is kept for a copy of our own, and nowhere else. Throws `ssh-key-unusable`.
 */
async function findPublicHalf(key: PrivateKey, target: SshTarget, context: SshContext, signal: AbortSignal): Promise<void> {
  const { stdout } = await context.processes.run("ssh-add", ["-L"], { signal }).catch(() => ({ stdout: Buffer.alloc(0) }));
  const held = stdout
    .toString("utf8")
    .split("\n")
    .flatMap((line) => {
      const found = parsePublicKey(line);
      return found === undefined ? [] : [{ ...found, comment: line.split(" ").slice(2).join(" ") }];
    });
  if (held.length === 0) throw passphraseNeeded(key.path);
  const found = agentKeyFor(key, held);
  if (found === undefined || !isInMachineFolder(key, target)) throw publicHalfMissing(key.path);
  await writeFileAtomic(`${key.path}.pub`, `${formatPublicKey(found)}\n`, 0o600);
}

/** Asks ssh itself what an entry of ssh_config stands for. */
async function resolveConfigHost(
  program: string,
  target: SshTarget,
  context: SshContext,
  signal: AbortSignal,
): Promise<Resolved> {
  if (target.configHost === undefined) return { target, strict: false };
  const args = [...optionArguments(target, notAsked, context.sshConfigFile), "-G", "--", target.configHost];
  const { status, stdout, stderr } = await context.processes.run(program, args, { signal });
  if (status !== 0) {
    throw new MachineError("usage", `ssh does not understand its configuration: ${stderr.toString("utf8").trim()}`, {
      hint: `Check it with: ssh -G ${target.configHost}`,
    });
  }
  const values = new Map(
    stdout
      .toString("utf8")
      .split(/\r?\n/u)
      .map((line) => splitOnce(line)),
  );
  const resolved = {
    ...target,
    hostName: target.hostName === "" ? (values.get("hostname") ?? target.configHost) : target.hostName,
    port: target.port === 0 ? Number(values.get("port") ?? 22) : target.port,
    userName: target.userName === "" ? (values.get("user") ?? "") : target.userName,
  };
  return { target: resolved, strict: /^(?:yes|true)$/u.test(values.get("stricthostkeychecking") ?? "") };
}

function splitOnce(line: string): [string, string] {
  const blank = line.indexOf(" ");
  return blank < 0 ? [line, ""] : [line.slice(0, blank), line.slice(blank + 1)];
}

/** Of a log that a host may fill: its end says why it came to that. */
const longestLogBytes = 1024 * 1024;

/** A log's text, or the end of it; empty while there is none. */
export async function readText(file: string): Promise<string> {
  try {
    const handle = await open(file, "r");
    try {
      const { size } = await handle.stat();
      const length = Math.min(size, longestLogBytes);
      const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
      return buffer.toString("utf8");
    } finally {
      await handle.close();
    }
  } catch {
    return "";
  }
}
