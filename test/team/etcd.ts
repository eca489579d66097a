/** etcd of a test's own, from Debian's packages: one member or three, killed and started anew as the test likes. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import * as path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePorts } from "../support/free-ports.ts";

export type EtcdRelease = "3.4" | "3.5";

const packages = path.resolve(process.env["DOCKER_MACHINE_ETCD"] ?? "build");

function programOf(release: EtcdRelease): string {
  return path.join(packages, `etcd-${release}`, "usr/bin/etcd");
}

/** Why the tests cannot run here; false where they can. */
export function etcdMissing(release: EtcdRelease): string | false {
  return existsSync(programOf(release))
    ? false
    : `etcd ${release} is not unpacked; sh scripts/etcd-packages.sh does that from Debian's packages`;
}

export interface EtcdOptions {
  readonly release: EtcdRelease;
  readonly members?: number | undefined;
  /** Further flags of each member. */
  readonly flags?: readonly string[] | undefined;
}

export class Etcd implements AsyncDisposable {
  readonly clientPorts: readonly number[];
  readonly #starts: readonly (() => ChildProcess)[];
  readonly #members: ChildProcess[];

  private constructor(clientPorts: readonly number[], starts: readonly (() => ChildProcess)[]) {
    this.clientPorts = clientPorts;
    this.#starts = starts;
    this.#members = starts.map((start) => start());
  }

  /** @param folder for its data; the test removes it */
  static async start(folder: string, { release, members = 1, flags = [] }: EtcdOptions): Promise<Etcd> {
    const ports = await freePorts(2 * members);
    const places = Array.from({ length: members }, (_, index) => ({
      name: `m${index}`,
      client: ports[2 * index] ?? 0,
      peer: ports[2 * index + 1] ?? 0,
    }));
    const urlOf = (port: number): string => `http://127.0.0.1:${port}`;
    const cluster = places.map(({ name, peer }) => `${name}=${urlOf(peer)}`).join(",");
    const starts = places.map(({ name, client, peer }) => () => {
      const own = {
        name,
        "data-dir": path.join(folder, name),
        "listen-client-urls": urlOf(client),
        "advertise-client-urls": urlOf(client),
        "listen-peer-urls": urlOf(peer),
        "initial-advertise-peer-urls": urlOf(peer),
        "initial-cluster": cluster,
        "log-level": "error",
        // What a test writes need not outlive the computer.
        ...(release === "3.5" ? { "unsafe-no-fsync": "true" } : {}),
      };
      const args = [...Object.entries(own).map(([flag, value]) => `--${flag}=${value}`), ...flags];
      return spawn(programOf(release), args, { stdio: "ignore", env: { ETCD_UNSUPPORTED_ARCH: "arm64", PATH: "/usr/bin" } });
    });
    const etcd = new Etcd(
      places.map(({ client }) => client),
      starts,
    );
    await etcd.untilHealthy();
    return etcd;
  }

  /** For a store of this name. */
  url(name: string): string {
    return `etcd+http://${this.clientPorts.map((port) => `127.0.0.1:${port}`).join(",")}/${name}`;
  }

  /** Resolves when a member has a leader. */
  async untilHealthy(): Promise<void> {
    for (let tries = 0; tries < 300; tries += 1) {
      const answers = this.clientPorts.map(async (port) => {
        const answer = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(1_000) });
        return ((await answer.json()) as { health?: string }).health === "true";
      });
      if ((await Promise.allSettled(answers)).some((each) => each.status === "fulfilled" && each.value)) return;
      await delay(50);
    }
    throw new Error("etcd did not start");
  }

  /** As if the time of everyone's locks were over, without waiting for it. @param seconds how long they were granted for */
  async endLeases(seconds: number): Promise<void> {
    const ask = async (path: string, body: object): Promise<unknown> =>
      await (
        await fetch(`http://127.0.0.1:${this.clientPorts[0]}/v3/${path}`, { method: "POST", body: JSON.stringify(body) })
      ).json();
    const { leases = [] } = (await ask("lease/leases", {})) as { leases?: readonly { readonly ID: string }[] };
    for (const { ID } of leases) {
      const { grantedTTL } = (await ask("lease/timetolive", { ID })) as { grantedTTL?: string };
      if (grantedTTL === String(seconds)) await ask("lease/revoke", { ID });
    }
  }

  /** SIGKILL. */
  async kill(member: number): Promise<void> {
    const process = this.#members[member];
    if (process === undefined || process.exitCode !== null || process.signalCode !== null) return;
    const ended = new Promise((resolve) => process.once("exit", resolve));
    process.kill("SIGKILL");
    await ended;
  }

  revive(member: number): void {
    const start = this.#starts[member];
    if (start !== undefined) this.#members[member] = start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const member of this.#members.keys()) await this.kill(member);
  }
}
