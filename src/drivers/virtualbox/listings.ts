/** What VBoxManage lists. No I/O. Distributions' wrappers print warnings before the first line, also to standard output. */

/** `7.2.22_Debianr175245`, `6.1.50r161033`; undefined for what is no version. */
export interface Version {
  readonly text: string;
  readonly major: number;
  readonly minor: number;
  readonly build: number;
}

export function parseVersion(stdout: string): Version | undefined {
  const text = lastLine(stdout);
  const [, major, minor, build] = /^(\d+)\.(\d+)\.(\d+)/u.exec(text) ?? [];
  return major === undefined ? undefined : { text, major: Number(major), minor: Number(minor), build: Number(build) };
}

function lastLine(stdout: string): string {
  return (
    stdout
      .split(/\r?\n/u)
      .filter((line) => line.trim() !== "")
      .at(-1)
      ?.trim() ?? ""
  );
}

export function isAtLeast({ major, minor, build }: Version, wanted: readonly [number, number, number]): boolean {
  const parts = [major, minor, build];
  const at = parts.findIndex((part, index) => part !== wanted[index]);
  return at === -1 || (parts[at] ?? 0) > (wanted[at] ?? 0);
}

export interface ListedVm {
  /** `<inaccessible>` where its settings cannot be read. */
  readonly name: string;
  readonly uuid: string;
}

/** `"NAME" {UUID}`, in whose name nothing is escaped. */
export function parseVms(stdout: string): readonly ListedVm[] {
  return [...stdout.matchAll(/^"(.*)" \{([0-9a-f-]{36})\}\r?$/gmu)].map(([, name = "", uuid = ""]) => ({ name, uuid }));
}

/** Blocks of `Key: value` that begin with a certain key, apart by blank lines. */
function parseBlocks(stdout: string, first: string): readonly ReadonlyMap<string, string>[] {
  const blocks: Map<string, string>[] = [];
  for (const line of stdout.split(/\r?\n/u)) {
    const [, key, value = ""] = /^([^\s:][^:]*):\s*(.*)$/u.exec(line) ?? [];
    if (key === undefined) continue;
    if (key === first) blocks.push(new Map());
    blocks.at(-1)?.set(key, value);
  }
  return blocks;
}

export interface HostOnlyInterface {
  readonly name: string;
  readonly address: string;
  readonly netmask: string;
  /** By which its DHCP server goes. */
  readonly networkName: string;
}

export function parseHostOnlyInterfaces(stdout: string): readonly HostOnlyInterface[] {
  return parseBlocks(stdout, "Name").map((block) => ({
    name: block.get("Name") ?? "",
    address: block.get("IPAddress") ?? "",
    netmask: block.get("NetworkMask") ?? "",
    networkName: block.get("VBoxNetworkName") ?? "",
  }));
}

/** Of macOS, since VirtualBox 7. */
export interface HostOnlyNetwork {
  readonly name: string;
  readonly isEnabled: boolean;
  readonly netmask: string;
  readonly lower: string;
}

export function parseHostOnlyNetworks(stdout: string): readonly HostOnlyNetwork[] {
  return parseBlocks(stdout, "Name").map((block) => ({
    name: block.get("Name") ?? "",
    isEnabled: block.get("State") === "Enabled",
    netmask: block.get("NetworkMask") ?? "",
    lower: block.get("LowerIP") ?? "",
  }));
}

export interface DhcpServer {
  readonly networkName: string;
  readonly address: string;
  readonly netmask: string;
  readonly lower: string;
  readonly upper: string;
  readonly isEnabled: boolean;
}

/** In the words of 7.x, and of those before. */
export function parseDhcpServers(stdout: string): readonly DhcpServer[] {
  return parseBlocks(stdout, "NetworkName").map((block) => ({
    networkName: block.get("NetworkName") ?? "",
    address: block.get("Dhcpd IP") ?? block.get("IP") ?? "",
    netmask: block.get("NetworkMask") ?? "",
    lower: block.get("LowerIPAddress") ?? block.get("lowerIPAddress") ?? "",
    upper: block.get("UpperIPAddress") ?? block.get("upperIPAddress") ?? "",
    isEnabled: block.get("Enabled") === "Yes",
  }));
}

/** Of `getextradata global enumerate`. */
export function parseExtraData(stdout: string): ReadonlyMap<string, string> {
  return new Map([...stdout.matchAll(/^Key: (.*?), Value: (.*?)\r?$/gmu)].map(([, key = "", value = ""]) => [key, value]));
}

export interface HostFacts {
  readonly cpus: number;
  readonly virtualizes: boolean;
}

/** Of `list hostinfo`. */
export function parseHostInfo(stdout: string): HostFacts {
  const [block] = parseBlocks(stdout, "Host time");
  return {
    cpus: Number(block?.get("Processor online count") ?? 1),
    virtualizes: block?.get("Processor supports HW virtualization") !== "no",
  };
}

/** Of `dhcpserver findlease`; undefined for one that is over. */
export function parseLease(stdout: string): string | undefined {
  if (/^State:\s*expired/mu.test(stdout)) return undefined;
  return /^IP Address:\s*([\d.]+)/mu.exec(stdout)?.[1];
}

/** Of `guestproperty get`; undefined where there is none. */
export function parseProperty(stdout: string): string | undefined {
  return /^Value: (.*?)\r?$/mu.exec(stdout)?.[1];
}
