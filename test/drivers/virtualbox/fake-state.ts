/** What VirtualBox keeps of a user's machines, networks and media, and how VBoxManage words what goes wrong. For the stand-in. */
import { existsSync } from "node:fs";
import * as path from "node:path";

export interface FakeForward {
  readonly name: string;
  readonly hostPort: number;
  readonly guestPort: number;
}

export interface FakeCard {
  kind: "nat" | "hostonly" | "hostonlynet" | "none";
  type: string;
  mac: string;
  /** Host-only interface or network. */
  adapter: string;
  promiscuous: string;
  forwards: FakeForward[];
}

export interface FakePort {
  readonly port: number;
  readonly kind: "hdd" | "dvddrive";
  readonly medium: string;
  readonly uuid: string;
  readonly nonrotational: boolean;
  readonly discard: boolean;
}

export interface FakeController {
  readonly name: string;
  portCount: number;
  ports: FakePort[];
}

export interface FakeVm {
  readonly uuid: string;
  readonly name: string;
  readonly settingsFile: string;
  readonly arch: "x86" | "ARM";
  osType: string;
  /** Settings as `showvminfo` spells them. */
  readonly settings: Record<string, string>;
  readonly cards: [FakeCard, FakeCard];
  controllers: FakeController[];
  readonly shares: { readonly name: string; readonly hostPath: string }[];
  readonly extra: Record<string, string>;
  readonly properties: Record<string, string>;
  description: string;
  /** VirtualBox's word. */
  state: string;
  startedMs: number;
  /** When it will be off; 0 = nobody has pressed the button. */
  offAtMs: number;
  /** Until when its session holds it, after its end. */
  lockedUntilMs: number;
  /** Of its second card, once it has booted. */
  address: string;
}

export interface FakeInterface {
  readonly name: string;
  address: string;
  netmask: string;
}

export interface FakeNetwork {
  readonly name: string;
  readonly netmask: string;
  readonly lower: string;
  readonly upper: string;
}

export interface FakeDhcpServer {
  readonly networkName: string;
  address: string;
  netmask: string;
  lower: string;
  upper: string;
  enabled: boolean;
}

export interface FakeMedium {
  readonly uuid: string;
  readonly file: string;
  readonly kind: "hdd" | "dvddrive";
  /** MB. */
  sizeMiB: number;
}

export interface FakeState {
  vms: FakeVm[];
  interfaces: FakeInterface[];
  networks: FakeNetwork[];
  dhcp: FakeDhcpServer[];
  extra: Record<string, string>;
  /** Those that no machine's own settings list. */
  media: FakeMedium[];
  /** Disks that were made, by their files: what stands in their headers. */
  headers: Record<string, { uuid: string; sizeMiB: number }>;
}

/** As a user has it who never started VirtualBox: one DHCP server, of an interface that does not exist. */
export function freshState(): FakeState {
  const dhcp = {
    ...{ networkName: "HostInterfaceNetworking-vboxnet0", address: "192.168.56.100", netmask: "255.255.255.0" },
    ...{ lower: "192.168.56.101", upper: "192.168.56.254", enabled: true },
  };
  return { vms: [], interfaces: [], networks: [], dhcp: [dhcp], extra: {}, media: [], headers: {} };
}

/** What is on this computer beside VirtualBox. */
export interface FakeOptions {
  readonly version: string;
  readonly os: "linux" | "darwin" | "windows";
  /** Whether the processor virtualizes. */
  readonly virtualizes: boolean;
  /** Printed before every answer, as Debian's wrapper does without the kernel module. */
  readonly warning: string;
  /** Ranges of networks.conf, as beginnings of addresses. */
  readonly allowed: readonly string[];
  /** Why a machine does not start: words of VBoxManage, and what its log ends with. */
  readonly refuses?: { readonly words: string; readonly log: string } | undefined;
  /** Until it hears its power button, in milliseconds after its start; `Infinity` = never. */
  readonly deafMs: number;
  /** Until it has an address; `Infinity` = it never gets one. */
  readonly bootMs: number;
  /** What fails with a full disk: names of commands. */
  readonly fullDiskAt: readonly string[];
  /** Put before each path: the file system that it lives in. */
  readonly root: string;
}

export const fakeDefaults: FakeOptions = {
  version: "7.2.22_Debianr175245",
  os: "linux",
  virtualizes: true,
  warning: "",
  allowed: [
    "192.168.56.",
    "192.168.57.",
    "192.168.58.",
    "192.168.59.",
    "192.168.60.",
    "192.168.61.",
    "192.168.62.",
    "192.168.63.",
  ],
  deafMs: 2_000,
  bootMs: 1_000,
  fullDiskAt: [],
  root: "",
};

/** Ends a call as VBoxManage ends one that failed. */
export class Refusal extends Error {
  readonly status: number;
  readonly stdout: string;

  /** @param lines behind `VBoxManage: error: ` */
  constructor(lines: readonly string[], status = 1, stdout = "") {
    super(lines.join("\n"));
    this.status = status;
    this.stdout = stdout;
  }
}

/** With the code of the interface, as VBoxManage prints it on a line of its own. */
export function coded(words: string, code: keyof typeof codes, component: string, face: string): Refusal {
  return new Refusal([
    words,
    `Details: code ${code} (${codes[code]}), component ${component}, interface ${face}, callee nsISupports`,
  ]);
}

const codes = {
  VBOX_E_OBJECT_NOT_FOUND: "0x80bb0001",
  VBOX_E_INVALID_VM_STATE: "0x80bb0002",
  VBOX_E_FILE_ERROR: "0x80bb0004",
  VBOX_E_IPRT_ERROR: "0x80bb0005",
  VBOX_E_INVALID_OBJECT_STATE: "0x80bb0007",
  VBOX_E_OBJECT_IN_USE: "0x80bb000c",
  E_ACCESSDENIED: "0x80070005",
  NS_ERROR_INVALID_ARG: "0x80070057",
  NS_ERROR_FAILURE: "0x80004005",
} as const;

const uuidPattern = /^\{?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?$/iu;

/** By id or by name, and of several of one name the first. */
export function vmOf(state: FakeState, options: FakeOptions, word: string): FakeVm {
  const isUuid = uuidPattern.test(word);
  const found = state.vms.find((vm) => (isUuid ? vm.uuid === word : isAccessible(options, vm) && vm.name === word));
  if (found === undefined) {
    const words = isUuid ? `with UUID {${word}}` : `named '${word}'`;
    throw coded(`Could not find a registered machine ${words}`, "VBOX_E_OBJECT_NOT_FOUND", "VirtualBoxWrap", "IVirtualBox");
  }
  return found;
}

export function accessibleVm(state: FakeState, options: FakeOptions, word: string): FakeVm {
  const vm = vmOf(state, options, word);
  if (!isAccessible(options, vm)) throw coded("The object functionality is limited", "E_ACCESSDENIED", "MachineWrap", "IMachine");
  return vm;
}

export function isAccessible(options: FakeOptions, { settingsFile }: FakeVm): boolean {
  return existsSync(inRoot(options, settingsFile));
}

export function inRoot({ root }: FakeOptions, file: string): string {
  return root === "" ? file : path.join(root, file);
}
