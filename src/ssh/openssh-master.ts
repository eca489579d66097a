/**
 * The one connection that all commands of an executor share: ssh as a multiplexing master in the background, and a
 * small shell, the keeper, that ends it. The keeper waits for the end of its input, which comes when we close it and
 * also when this process is killed: no connection, socket or folder outlives us.
 */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { access, rm, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { unlessAborted } from "../system/waiting.ts";
import type { FirstKeys } from "./host-keys.ts";
import { isOwnBound } from "./ssh-bounds.ts";
import { anyHostKeyOptions, knownHostsIn, noForwardings, opensshDestination, socketForwardOptions } from "./openssh-arguments.ts";
import { formatKnownHostsLine } from "./known-hosts.ts";
import { readText, type OpenSshClient } from "./openssh-client.ts";
import { diagnose } from "./openssh-diagnosis.ts";
import { makePrivateFolder } from "./private-folder.ts";
import type { PublicKey } from "./public-key.ts";

/**
 * $0 is the folder, $1 the ssh program, the rest its arguments. ssh returns when its master has gone to the background. A line
 * of input says that nothing is left to end.
 */
const keeperScript = `"$@" </dev/null >/dev/null 2>"$0/errors"
status=$?
trap '' PIPE
echo "$status"
read -r _ && exit
"$1" -F none -S "$0/s" -O exit -- master >/dev/null 2>&1
rm -rf "$0"`;

/** A master whose keeper was killed ends itself after so many idle seconds. */
const orphanIdleSeconds = 600;
const closeGraceMs = 3_000;

interface MasterOptions {
  /** Sockets of the host that are led to from the start. */
  readonly forwards: readonly string[];
  /** The host may show one of these, which is pinned; undefined = it must show one that is. */
  readonly first: FirstKeys | undefined;
}

export class OpenSshMaster {
  /** Private to this connection; the clients' logs are kept here too. */
  readonly folder: string;
  readonly #keeper: ChildProcess;
  readonly #exited: Promise<unknown>;

  private constructor(folder: string, keeper: ChildProcess) {
    this.folder = folder;
    this.#keeper = keeper;
    this.#exited = once(keeper, "exit");
    this.#exited.catch(() => {});
  }

  /** Connects and logs in. Throws what {@link diagnose} makes of a failure, or the signal's reason. */
  static async open(client: OpenSshClient, options: MasterOptions, signal: AbortSignal): Promise<OpenSshMaster> {
    const folder = await makePrivateFolder(client.context.computer);
    const { first } = options;
    if (first !== undefined && first !== "any") await writeKnownHosts(firstKeyIn(folder), client.target.hostKeys.alias, first);
    const master = new OpenSshMaster(folder, spawnKeeper(client, options, folder));
    try {
      const connected = unlessAborted(master.#connected(), signal);
      if (first !== undefined) {
        await connected.catch(() => {});
        await client.pinFirstKey(firstKeyIn(folder), await master.log());
      }
      const status = await connected;
      if (status === "0") return master;
      throw await diagnose(client.resolved, await master.log(), true, client.encryptedKey);
    } catch (error) {
      const cause = isOwnBound(signal) ? await diagnose(client.resolved, await master.log(), false, client.encryptedKey) : error;
      await master.kill();
      throw cause;
    }
  }

  get controlPath(): string {
    return controlPathIn(this.folder);
  }

  /** What the master and whatever it ran (a ProxyJump) have said so far. */
  async log(): Promise<string> {
    return `${await readText(path.join(this.folder, "errors"))}\n${await readText(logFileIn(this.folder))}`;
  }

  /** A master removes its socket when it ends, for whatever reason. */
  async isAlive(): Promise<boolean> {
    return await access(this.controlPath).then(
      () => true,
      () => false,
    );
  }

  /** Ends the connection and everything that runs over it, and removes the folder. What is left to the keeper is to end. */
  async close(): Promise<void> {
    const { askMasterToExit } = await import("./mux-exit.ts");
    if (await askMasterToExit(this.controlPath, closeGraceMs)) {
      await rm(this.folder, { recursive: true, force: true });
      this.#keeper.stdin?.end("\n");
      return;
    }
    this.#keeper.ref();
    this.#keeper.stdin?.end();
    const ended = await Promise.race([this.#exited.then(() => true), delay(closeGraceMs, false, { ref: false })]);
    if (!ended) await this.kill();
  }

  /** Ends an attempt to connect: the keeper and the ssh that it waits for are one process group. */
  async kill(): Promise<void> {
    try {
      if (this.#keeper.pid !== undefined && this.#keeper.exitCode === null) process.kill(-this.#keeper.pid, "SIGKILL");
    } catch {
      // It has just ended.
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The keeper's first line: the exit status of ssh. */
  async #connected(): Promise<string> {
    const [line] = (await Promise.race([once(this.#keeper.stdout as NodeJS.EventEmitter, "data"), this.#exited])) as [unknown];
    // Neither the keeper nor its pipes keep this process running.
    this.#keeper.stdout?.destroy();
    this.#keeper.unref();
    return String(line).trim();
  }
}

function spawnKeeper(client: OpenSshClient, { forwards, first }: MasterOptions, folder: string): ChildProcess {
  const options = {
    ...(first === undefined ? {} : first === "any" ? anyHostKeyOptions(firstKeyIn(folder)) : knownHostsIn(firstKeyIn(folder))),
    ...(forwards.length === 0 ? noForwardings : socketForwardOptions),
    LogLevel: "DEBUG1",
    ControlMaster: "yes",
    ControlPath: controlPathIn(folder),
    ControlPersist: String(orphanIdleSeconds),
  };
  const args = [
    ...client.arguments(options),
    ...forwards.flatMap((remotePath) => forwardTo(folder, remotePath).arguments),
    ...["-E", logFileIn(folder), "-N", "-T", "--", opensshDestination(client.target)],
  ];
  return client.context.processes.spawn("/bin/sh", ["-c", keeperScript, folder, client.program, ...args], {
    stdio: ["pipe", "pipe", "ignore"],
    detached: true,
  });
}

/** A socket in the folder of a connection that leads to one of the host. */
export function forwardTo(folder: string, remotePath: string): { readonly path: string; readonly arguments: readonly string[] } {
  const socketPath = path.join(folder, path.basename(remotePath));
  return { path: socketPath, arguments: ["-L", `${socketPath}:${remotePath}`] };
}

function controlPathIn(folder: string): string {
  return path.join(folder, "s");
}

async function writeKnownHosts(file: string, name: string, keys: readonly PublicKey[]): Promise<void> {
  await writeFile(file, keys.map((key) => formatKnownHostsLine(name, key)).join(""), { mode: 0o600 });
}

function firstKeyIn(folder: string): string {
  return path.join(folder, "first-key");
}

function logFileIn(folder: string): string {
  return path.join(folder, "log");
}
