/**
 * The network cable between a host and the lab's bridge: a veth pair with an address of its own, laid by the lab and
 * not by the engine, so that a host keeps its address when it reboots and can be cut off while it runs.
 */
import { randomInt } from "node:crypto";
import { command, tryCommand } from "./command.ts";
import { formatAddress, hardwareOf, parseAddress, type LabSegment } from "./network.ts";

export interface Cable {
  readonly address: string;
  /** Brings the address into the network namespace of a process that has none yet. */
  plugInto(pid: number): Promise<void>;
  /** Drops every packet from now on, in both directions, without a word to either side. */
  cut(): Promise<void>;
  mend(): Promise<void>;
  /** Gives the address back where no host holds it. */
  remove(): Promise<void>;
}

const attempts = 50;

/**
 * Takes a free address, or the one that is asked for. The kernel keeps the book: the interface's name is the claim, and it
 * ends with the host.
 */
export async function layCable(segment: LabSegment, wanted?: string): Promise<Cable> {
  if (wanted !== undefined) {
    if (await claim(parseAddress(wanted))) return cableOf(segment, wanted);
    throw new Error(`The address ${wanted} is taken`);
  }
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const number = randomInt(segment.firstNumber, segment.lastNumber);
    if (await claim(number)) return cableWith(segment, number);
  }
  throw new Error(`No free address in ${segment.subnet}`);
}

/** The cable that a host already has, by its address. */
export function cableOf(segment: LabSegment, address: string): Cable {
  return cableWith(segment, parseAddress(address));
}

function cableWith(segment: LabSegment, number: number): Cable {
  const address = formatAddress(number);
  const near = interfaceOf(number);
  return {
    address,
    plugInto: async (pid) => {
      await ensureFarEnd(number);
      await batch([`link set ${near} master ${segment.bridge} up`, `link set ${near}p netns ${pid} name eth0`]);
      const assign = `address add ${address}/${segment.prefixLength} dev eth0`;
      await batch([assign, "link set eth0 up", `route add default via ${segment.gateway}`], pid);
    },
    cut: () => batch([`link set ${near} down`]),
    mend: () => batch([`link set ${near} up`]),
    remove: async () => void (await tryCommand("ip", ["link", "delete", near])),
  };
}

/** After a reboot the far end is in a namespace that is gone, or going: the kernel takes its time to clean up. */
async function ensureFarEnd(number: number): Promise<void> {
  const near = interfaceOf(number);
  if ((await tryCommand("ip", ["link", "show", `${near}p`])).status === 0) return;
  await tryCommand("ip", ["link", "delete", near]);
  if (!(await claim(number))) throw new Error(`The address ${formatAddress(number)} was taken while its host rebooted`);
}

async function claim(number: number): Promise<boolean> {
  const name = interfaceOf(number);
  // The same hardware address after a reboot, as with a real card: else neighbours send to the old one until they forget it.
  const peer = ["peer", "name", `${name}p`, "address", hardwareOf(number)];
  const made = await tryCommand("ip", ["link", "add", "name", name, "type", "veth", ...peer]);
  return made.status === 0;
}

async function batch(lines: readonly string[], pid?: number): Promise<void> {
  const stdin = `${lines.join("\n")}\n`;
  if (pid === undefined) await command("ip", ["-batch", "-"], { stdin });
  else await command("nsenter", ["--target", String(pid), "--net", "ip", "-batch", "-"], { stdin });
}

const cablePrefix = "dml";

function interfaceOf(number: number): string {
  return `${cablePrefix}${number.toString(16)}`;
}
