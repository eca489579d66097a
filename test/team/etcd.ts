/** etcd of a test's own, from Debian's packages: one member or three, killed and started anew as the test likes. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import * as path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { PairFiles } from "./pair-files.ts";
import { freePorts } from "../support/free-ports.ts";
import { endProcess } from "../support/end-process.ts";
import { endingWithUs } from "../support/ending-with-us.ts";

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

/** Where a member is. */
export interface EtcdSeat {
  /** Words of a program that is started there. */
  readonly at: readonly string[];
  /** HOST:PORT for its peers, for clients, and for questions after its health, which need no TLS. */
  readonly peers: string;
  readonly clients: readonly string[];
  readonly health: string;
}

export interface EtcdOptions {
  readonly release: EtcdRelease;
  /** How many on this computer, one unless told; or where they are. */
  readonly members?: number | readonly EtcdSeat[] | undefined;
  /** Further flags of each member. */
  readonly flags?: readonly string[] | undefined;
  /** Clients speak TLS to it, and show a certificate of that authority where they have to. */
  readonly tls?: { readonly server: PairFiles; readonly clients: "any" | "certified" } | undefined;
}

export class Etcd implements AsyncDisposable {
  readonly seats: readonly EtcdSeat[];
  readonly #starts: readonly (() => ChildProcess)[];
  readonly #members: ChildProcess[];

  private constructor(seats: readonly EtcdSeat[], starts: readonly (() => ChildProcess)[]) {
    this.seats = seats;
    this.#starts = starts;
    this.#members = starts.map((start) => start());
  }

  /** @param folder for its data; the test removes it */
  static async start(folder: string, { release, members = 1, flags = [], tls }: EtcdOptions): Promise<Etcd> {
    const seats = typeof members === "number" ? await seatsHere(members) : members;
    const cluster = seats.map(({ peers }, index) => `m${index}=http://${peers}`).join(",");
    const ofTls =
      tls === undefined
        ? {}
        : {
            "cert-file": tls.server.certificate,
            "key-file": tls.server.key,
            // To know whom to believe is to ask for it.
            ...(tls.clients === "certified" ? { "trusted-ca-file": tls.server.authority, "client-cert-auth": "true" } : {}),
          };
    const starts = seats.map(({ at, peers, clients, health }, index) => () => {
      const clientUrls = clients.map((each) => `${tls === undefined ? "http" : "https"}://${each}`).join(",");
      const own = {
        name: `m${index}`,
        "data-dir": path.join(folder, `m${index}`),
        "listen-client-urls": clientUrls,
        "advertise-client-urls": clientUrls,
        "listen-metrics-urls": `http://${health}`,
        ...ofTls,
        "listen-peer-urls": `http://${peers}`,
        "initial-advertise-peer-urls": `http://${peers}`,
        "initial-cluster": cluster,
        "log-level": "error",
        // What a test writes need not outlive the computer.
        ...(release === "3.5" ? { "unsafe-no-fsync": "true" } : {}),
      };
      const args = [...Object.entries(own).map(([flag, value]) => `--${flag}=${value}`), ...flags];
      const [program, ...words] = [...at, programOf(release), ...args];
      const env = { ETCD_UNSUPPORTED_ARCH: "arm64", PATH: "/usr/bin" };
      return spawn(...endingWithUs(program ?? "", words), { stdio: "ignore", env });
    });
    const etcd = new Etcd(seats, starts);
    await etcd.untilHealthy();
    return etcd;
  }

  /** Of the members, where clients ask on this computer. */
  get clientPorts(): readonly number[] {
    return this.seats.map(({ clients: [first = ""] }) => Number(first.split(":")[1]));
  }

  /** For a store of this name. */
  url(name: string): string {
    return `etcd+http://${this.clientPorts.map((port) => `127.0.0.1:${port}`).join(",")}/${name}`;
  }

  /** Resolves when a member has a leader. */
  async untilHealthy(): Promise<void> {
    for (let tries = 0; tries < 300; tries += 1) {
      const answers = this.seats.map(async ({ health }) => {
        const answer = await fetch(`http://${health}/health`, { signal: AbortSignal.timeout(1_000) });
        return ((await answer.json()) as { health?: string }).health === "true";
      });
      if ((await Promise.allSettled(answers)).some((each) => each.status === "fulfilled" && each.value)) return;
      await delay(50);
    }
    throw new Error("etcd did not start");
  }

  /** What a member says of itself: whether it leads the others, and the last change that it knows of. */
  async stateOf(member: number): Promise<{ readonly leads: boolean; readonly follows: boolean; readonly revision: number }> {
    const answer = await fetch(`http://${this.seats[member]?.health}/metrics`, { signal: AbortSignal.timeout(1_000) });
    const text = await answer.text();
    const told = (name: string): number => Number(new RegExp(`^${name} (.*)$`, "mu").exec(text)?.[1]);
    return {
      leads: told("etcd_server_is_leader") === 1,
      follows: told("etcd_server_has_leader") === 1,
      revision: told("etcd_debugging_mvcc_current_revision"),
    };
  }

  /** Which member leads, by what it says itself: asked again until one of these does. */
  async leaderOf(members: readonly number[]): Promise<number> {
    for (let tries = 0; tries < 600; tries += 1) {
      const states = await Promise.allSettled(members.map(async (member) => await this.stateOf(member)));
      const found = members.find((_, index) => states[index]?.status === "fulfilled" && states[index].value.leads);
      if (found !== undefined) return found;
      await delay(50);
    }
    throw new Error("nobody leads");
  }

  /** Resolves when all have the same changes, and the same leader's. */
  async untilOne(): Promise<void> {
    for (let tries = 0; tries < 600; tries += 1) {
      const states = await Promise.allSettled(this.seats.map(async (_, member) => await this.stateOf(member)));
      const told = states.flatMap((each) => (each.status === "fulfilled" && each.value.follows ? [each.value] : []));
      const isLed = told.filter(({ leads }) => leads).length === 1;
      if (isLed && told.length === this.seats.length && new Set(told.map(({ revision }) => revision)).size === 1) return;
      await delay(50);
    }
    throw new Error("the members of etcd do not agree");
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

async function seatsHere(count: number): Promise<EtcdSeat[]> {
  const ports = await freePorts(3 * count);
  const here = (port = 0): string => `127.0.0.1:${port}`;
  return Array.from({ length: count }, (_, index) => {
    const [peers, client, health] = ports.slice(3 * index);
    return { at: [], peers: here(peers), clients: [here(client)], health: here(health) };
  });
}
