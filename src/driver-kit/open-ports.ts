/**
 * Which ports of a machine its provider's firewall lets in, and from where: `--NAME-open-port` and `--NAME-open-cidr`,
 * the same for every provider. No I/O.
 */
import { MachineError } from "../errors/machine-error.ts";
import { swarmPortOf } from "../engine/engine-address.ts";

export interface PortRange {
  readonly protocol: "tcp" | "udp";
  readonly from: number;
  readonly to: number;
}

/** `8080`, `8080/tcp`, and what 0.16.2 did not know: `8000-8100/udp`. Throws `driver-options`, a bad number in its words. */
export function parseOpenPort(flag: string, text: string): PortRange {
  const [ports = "", protocol = "tcp"] = splitOnce(text, "/");
  if (protocol !== "tcp" && protocol !== "udp") throw wrongPort(flag, `invalid protocol ${protocol}`);
  const [first = "", last = first] = splitOnce(ports, "-");
  const [from, to] = [portNumber(flag, first), portNumber(flag, last)];
  if (from > to) throw wrongPort(flag, `invalid port range ${ports}: it ends before it begins`);
  return { protocol, from, to };
}

/** All values of the flag. `8080/*` is both protocols, as 0.16.2's azure takes it. */
export function parseOpenPorts(flag: string, given: readonly string[]): readonly PortRange[] {
  return given.flatMap((text) =>
    text.endsWith("/*")
      ? ["tcp", "udp"].map((protocol) => parseOpenPort(flag, `${text.slice(0, -1)}${protocol}`))
      : [parseOpenPort(flag, text)],
  );
}

function splitOnce(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

function portNumber(flag: string, text: string): number {
  const problem = !/^\d+$/u.test(text) ? "invalid syntax" : Number(text) < 1 || Number(text) > 65_535 ? "value out of range" : "";
  if (problem === "") return Number(text);
  throw wrongPort(flag, `invalid port number ${text}: strconv.ParseInt: parsing ${JSON.stringify(text)}: ${problem}`);
}

function wrongPort(flag: string, sentence: string): MachineError {
  return new MachineError("driver-options", sentence, {
    hint: `Give --${flag} a port, as 8080 or 53/udp, or a range of them, as 8000-8100/tcp.`,
  });
}

export interface SourceRanges {
  readonly v4: readonly string[];
  readonly v6: readonly string[];
}

const everywhere = { v4: "0.0.0.0/0", v6: "::/0" } as const;

/**
 * From where the ports may be reached: what was given, else from everywhere, as 0.16.2 had it. A single address is
 * a range of one; what lies behind an IPv4 range's length is dropped, since some providers refuse it. Throws
 * `driver-options`.
 */
export function parseCidrs(flag: string, given: readonly string[]): SourceRanges {
  if (given.length === 0) return { v4: [everywhere.v4], v6: [] };
  const ranges = given.map((text) => ipv4Range(text) ?? ipv6Range(text) ?? refuseRange(flag, text));
  const ofFamily = (isV6: boolean): string[] => [...new Set(ranges.filter((range) => range.includes(":") === isV6))];
  return { v4: ofFamily(false), v6: ofFamily(true) };
}

/** Whether a range lets in everybody, about which the driver warns when it makes the rule. */
export function isOpenToWorld({ v4, v6 }: SourceRanges): boolean {
  return v4.includes(everywhere.v4) || v6.includes(everywhere.v6);
}

function ipv4Range(text: string): string | undefined {
  const found = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/u.exec(text)?.slice(1);
  if (found === undefined) return undefined;
  const octets = found.slice(0, 4).map(Number);
  const length = Number(found[4] ?? 32);
  if (octets.some((octet) => octet > 255) || length > 32) return undefined;
  const kept = octets.map((octet, index) => octet & (0xff00 >> Math.min(8, Math.max(0, length - index * 8))));
  return `${kept.map((octet) => octet & 0xff).join(".")}/${length}`;
}

function ipv6Range(text: string): string | undefined {
  const [address = "", length = "128"] = splitOnce(text, "/");
  if (!address.includes(":") || !/^[0-9a-f:.]+$/iu.test(address) || !URL.canParse(`http://[${address}]/`)) return undefined;
  return /^\d{1,3}$/u.test(length) && Number(length) <= 128 ? `${address.toLowerCase()}/${Number(length)}` : undefined;
}

function refuseRange(flag: string, text: string): never {
  throw new MachineError("driver-options", `--${flag} ${JSON.stringify(text)} is no range of addresses`, {
    hint: "Write it as 192.0.2.0/24, 2001:db8::/32, or a single address.",
  });
}

export interface PortWish {
  readonly sshPort: number;
  readonly enginePort: number;
  readonly swarmMaster: boolean;
  /** `--swarm-host`: where a swarm master listens. */
  readonly swarmHost: string;
  readonly openPorts: readonly PortRange[];
}

/** All that must be let in: SSH, the engine, a swarm master's port, and what the user wants. Each range once. */
export function machinePorts(wish: PortWish): readonly PortRange[] {
  const tcp = (port: number): PortRange => ({ protocol: "tcp", from: port, to: port });
  const swarm = wish.swarmMaster ? [tcp(swarmPortOf(wish.swarmHost))] : [];
  const all = [tcp(wish.sshPort), tcp(wish.enginePort), ...swarm, ...wish.openPorts];
  return [...new Map(all.map((range) => [`${range.protocol} ${range.from}-${range.to}`, range])).values()];
}
