/** etcd of a test's own, from Debian's packages: one member or three, killed and started anew as the test likes. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import * as path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { PairFiles } from "./pair-files.ts";
import { freePorts } from "../support/free-ports.ts";
import { endProcess } from "../support/end-process.ts";

export type EtcdRelease = "3.4" | "3.5";

const packages = path.resolve(process.env["DOCKER_MACHINE_ETCD"] ?? "build");

function programOf(release: EtcdRelease): string {
  return path.join(packages, `etcd-${release}`, "usr/bin/etcd");
}

/** Why the tests cannot run here; false where they can. */
export function etcdMissing(release: EtcdRelease): string | false {
  return existsSync(programOf(release))
    ? false
    : `etcd ${release} is not unpacked; sh scripts/team-packages.sh does that from Debian's packages`;
}

export interface EtcdOptions {
  readonly release: EtcdRelease;
  readonly members?: number | undefined;
  /** Further flags of each member. */
  readonly flags?: readonly string[] | undefined;
  /** Clients speak TLS to it, and show a certificate of that authority where they have to. */
  readonly tls?: { readonly server: PairFiles; readonly clients: "any" | "certified" } | undefined;
}

export class Etcd implements AsyncDisposable {
  readonly clientPorts: readonly number[];
  readonly #healthPorts: readonly number[];
  readonly #starts: readonly (() => ChildProcess)[];
  readonly #members: ChildProcess[];

  private constructor(clientPorts: readonly number[], healthPorts: readonly number[], starts: readonly (() => ChildProcess)[]) {
    this.clientPorts = clientPorts;
    this.#healthPorts = healthPorts;
    this.#starts = starts;
    this.#members = starts.map((start) => start());
  }

  /** @param folder for its data; the test removes it */
  static async start(folder: string, { release, members = 1, flags = [], tls }: EtcdOptions): Promise<Etcd> {
    const ports = await freePorts(3 * members);
    const places = Array.from({ length: members }, (_, index) => ({
      name: `m${index}`,
      client: ports[3 * index] ?? 0,
      peer: ports[3 * index + 1] ?? 0,
      health: ports[3 * index + 2] ?? 0,
    }));
    const urlOf = (port: number): string => `http://127.0.0.1:${port}`;
    const cluster = places.map(({ name, peer }) => `${name}=${urlOf(peer)}`).join(",");
    const clientUrl = (port: number): string => `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`;
    const ofTls =
      tls === undefined
        ? {}
        : {
            "cert-file": tls.server.certificate,
            "key-file": tls.server.key,
            "trusted-ca-file": tls.server.authority,
            "client-cert-auth": String(tls.clients === "certified"),
          };
    const starts = places.map(({ name, client, peer, health }) => () => {
      const own = {
        name,
        "data-dir": path.join(folder, name),
        "listen-client-urls": clientUrl(client),
        "advertise-client-urls": clientUrl(client),
        "listen-metrics-urls": urlOf(health),
        ...ofTls,
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
      places.map(({ health }) => health),
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
      const answers = this.#healthPorts.map(async (port) => {
        const answer = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(1_000) });
        return ((await answer.json()) as { health?: string }).health === "true";
      });
      if ((await Promise.allSettled(answers)).some((each) => each.status === "fulfilled" && each.value)) return;
      await delay(50);
    }
    throw new Error("etcd did not start");
  }

  /** As its own tool asks it. @param path behind `/v3/` */
  async ask(path: string, body: object, member = 0): Promise<unknown> {
    const url = `http://127.0.0.1:${this.clientPorts[member]}/v3/${path}`;
    return await (await fetch(url, { method: "POST", body: JSON.stringify(body) })).json();
  }

  /** It hangs, and hears nothing, until it goes on. */
  pause(member: number): void {
    this.#members[member]?.kill("SIGSTOP");
  }

  goOn(member: number): void {
    this.#members[member]?.kill("SIGCONT");
  }

  /** As if the time of everyone's locks were over, without waiting for it. @param seconds how long they were granted for */
  async endLeases(seconds: number): Promise<void> {
    const { leases = [] } = (await this.ask("lease/leases", {})) as { leases?: readonly { readonly ID: string }[] };
    for (const { ID } of leases) {
      const { grantedTTL } = (await this.ask("lease/timetolive", { ID })) as { grantedTTL?: string };
      if (grantedTTL === String(seconds)) await this.ask("lease/revoke", { ID });
    }
  }

  /** SIGKILL. */
  async kill(member: number): Promise<void> {
    const process = this.#members[member];
    if (process !== undefined) await endProcess(process);
  }

  revive(member: number): void {
    const start = this.#starts[member];
    if (start !== undefined) this.#members[member] = start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const member of this.#members.keys()) await this.kill(member);
  }
}
