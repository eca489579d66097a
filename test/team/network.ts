/**
 * A network of a test's own: seats for servers, each of which hears its peers, two people, and the test that looks on, over
 * wires of their own, so that each can be cut without the others. What is sent over a wire that is cut is lost, and nobody is told.
 *
 * Each seat has a namespace of the kernel's for networks, and one more has the switches between them. They have no names and
 * stand in no file: they live as long as a process that ends when its input does, so they end with the test, also where it
 * is killed. On this computer there is an interface for each who is here, which ends with the switches.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { once } from "node:events";
import { command, tryCommand } from "../lab/command.ts";
import { endingWithUs } from "../support/ending-with-us.ts";
import { endProcess } from "../support/end-process.ts";

/** Who is on this computer. */
const here = ["alice", "bob", "test"] as const;
const wires = ["peers", ...here] as const;

export type Wire = (typeof wires)[number];

/** Why there can be none here; false where there can. */
export function networkMissing(): string | false {
  const can = process.getuid?.() === 0 && spawnSync("unshare", ["--net", "ip", "link"]).status === 0;
  return can ? false : "a network of its own takes root's rights, unshare and ip";
}

export class Network implements AsyncDisposable {
  readonly #prefix: string;
  readonly #switches: ChildProcess;
  readonly #seats: readonly ChildProcess[];

  private constructor(prefix: string, switches: ChildProcess, seats: readonly ChildProcess[]) {
    this.#prefix = prefix;
    this.#switches = switches;
    this.#seats = seats;
  }

  static async start(seats: number): Promise<Network> {
    const [switches, ...others] = await Promise.all(Array.from({ length: seats + 1 }, namespace));
    if (switches === undefined) throw new Error("no namespace");
    const network = new Network(await freePrefix(), switches, others);
    try {
      await network.#lay();
      return network;
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where a seat is for those on a wire. */
  address(wire: Wire, seat: number): string {
    return `${this.#prefix}.${64 * wires.indexOf(wire) + seat + 1}`;
  }

  /** Words of a program that is started at a seat. */
  at(seat: number): readonly string[] {
    return ["nsenter", `--net=/proc/${this.#seats[seat]?.pid}/ns/net`];
  }

  async cut(wire: Wire, seat: number): Promise<void> {
    await this.#ip(this.#switches, [`link set ${wire}${seat} nomaster`]);
  }

  /** All wires are whole again. Connections of before are ended: each would else wait for as long again as the wire was cut. */
  async mend(): Promise<void> {
    const ports = wires.flatMap((wire) => [...this.#seats.keys()].map((seat) => `link set ${wire}${seat} master ${wire}`));
    await this.#ip(this.#switches, ports);
    for (const seat of this.#seats.keys()) {
      const [program, ...words] = [...this.at(seat), "ss", "--kill", "--tcp", "state", "all", "dst", `${this.#prefix}.0/24`];
      await tryCommand(program, words);
    }
  }

  async #lay(): Promise<void> {
    const switches = wires.flatMap((wire) => [`link add ${wire} type bridge`, `link set ${wire} up`]);
    await this.#ip(this.#switches, switches);
    for (const [seat, { pid }] of this.#seats.entries()) {
      const lines = wires.flatMap((wire) => [
        `link add ${wire}${seat} type veth peer name ${wire} netns ${pid}`,
        `link set ${wire}${seat} master ${wire} up`,
      ]);
      await this.#ip(this.#switches, lines);
    }
    for (const [seat, namespace] of this.#seats.entries()) {
      const lines = wires.flatMap((wire) => [`addr add ${this.address(wire, seat)}/26 dev ${wire}`, `link set ${wire} up`]);
      await this.#ip(namespace, ["link set lo up", ...lines]);
    }
    const id = randomBytes(4).toString("hex");
    for (const [index, wire] of here.entries()) {
      const name = `dmt${id}${index}`;
      await this.#ip(undefined, [
        `link add ${name} type veth peer name ${wire}-far netns ${this.#switches.pid}`,
        `addr add ${this.address(wire, 61)}/26 dev ${name}`,
        `link set ${name} up`,
      ]);
      await this.#ip(this.#switches, [`link set ${wire}-far master ${wire} up`]);
    }
  }

  /** @param namespace whose; this computer's own where there is none */
  async #ip(namespace: ChildProcess | undefined, lines: readonly string[]): Promise<void> {
    const inside = namespace === undefined ? [] : [`--net=/proc/${namespace.pid}/ns/net`];
    await command("nsenter", [...inside, "ip", "-batch", "-"], { stdin: `${lines.join("\n")}\n` });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const namespace of [...this.#seats, this.#switches]) await endProcess(namespace);
  }
}

/** A process in a namespace of its own. */
async function namespace(): Promise<ChildProcess> {
  const [program, args] = endingWithUs("unshare", ["--net", "sh", "-c", "echo there; exec cat"]);
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return child;
}

/** Of the addresses that are set aside for networks under test (RFC 2544), 256 that nobody here uses. */
async function freePrefix(): Promise<string> {
  const routes = await command("ip", ["-4", "route", "show", "table", "all"]);
  for (;;) {
    const prefix = `198.${randomInt(18, 20)}.${randomInt(256)}`;
    if (!routes.includes(`${prefix}.`)) return prefix;
  }
}
