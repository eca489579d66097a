/** The stand-in's commands on machines: `createvm`, `modifyvm`, `sharedfolder`, extra data, `unregistervm`. */
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { parseArguments } from "./fake-arguments.ts";
import {
  accessibleVm,
  coded,
  inRoot,
  isAccessible,
  Refusal,
  vmOf,
  type FakeCard,
  type FakeOptions,
  type FakeState,
  type FakeVm,
} from "./fake-state.ts";

const noCard = (): FakeCard => ({ kind: "none", type: "82540EM", mac: "", adapter: "", promiscuous: "deny", forwards: [] });

const osTypes: Readonly<Record<string, readonly ["x86" | "ARM", string]>> = {
  Debian_64: ["x86", "Debian (64-bit)"],
  Debian_arm64: ["ARM", "Debian (ARM 64-bit)"],
  Linux26_64: ["x86", "Linux 2.6 / 3.x / 4.x / 5.x (64-bit)"],
};

export function createVm(state: FakeState, options: FakeOptions, args: readonly string[]): string {
  const { values } = parseArguments(
    args,
    { "--name": 1, "--basefolder": 1, "--ostype": 1, "--uuid": 1, "--register": 0, "--platform-architecture": 1 },
    { "--os-type": "--ostype" },
  );
  const name = values.get("--name") ?? "";
  const [arch, osType] = osTypes[values.get("--ostype") ?? "Debian_64"] ?? ["x86", ""];
  if (osType === "")
    throw coded(
      `Guest OS type '${values.get("--ostype")}' is invalid`,
      "VBOX_E_OBJECT_NOT_FOUND",
      "VirtualBoxWrap",
      "IVirtualBox",
    );
  if ((values.get("--platform-architecture") ?? "x86").toUpperCase() !== arch.toUpperCase())
    throw new Refusal([`The guest OS type is not for the platform architecture`]);
  const folder = path.join(values.get("--basefolder") ?? "/", name);
  const settingsFile = path.join(folder, `${name}.vbox`);
  if (existsSync(inRoot(options, settingsFile)))
    throw coded(`Machine settings file '${settingsFile}' already exists`, "VBOX_E_FILE_ERROR", "MachineWrap", "IMachine");
  const uuid = values.get("--uuid") ?? randomUUID();
  try {
    mkdirSync(inRoot(options, folder), { recursive: true, mode: 0o700 });
  } catch {
    const words = `Could not create a directory '${folder}' to save the settings file (VERR_PATH_NOT_FOUND)`;
    throw coded(words, "NS_ERROR_FAILURE", "MachineWrap", "IMachine");
  }
  writeFileSync(inRoot(options, settingsFile), `<VirtualBox><Machine uuid="{${uuid}}" name="${name}"/></VirtualBox>\n`);
  const twin = state.vms.find((vm) => vm.uuid === uuid);
  if (twin !== undefined) {
    const words = `Registered machine with UUID {${uuid}} ('${twin.settingsFile}') already exists`;
    throw coded(words, "NS_ERROR_INVALID_ARG", "VirtualBoxWrap", "IVirtualBox");
  }
  state.vms.push({
    ...{ uuid, name, settingsFile, arch, osType },
    settings: { memory: "1024", cpus: "1", firmware: "BIOS", chipset: "piix3", boot1: "floppy" },
    cards: [noCard(), noCard()],
    ...{ controllers: [], shares: [], extra: {}, properties: {}, description: "" },
    ...{ state: "poweroff", startedMs: 0, offAtMs: 0, lockedUntilMs: 0, address: "" },
  });
  return `Virtual machine '${name}' is created and registered.\nUUID: ${uuid}\nSettings file: '${settingsFile}'\n`;
}

/** Options of `modifyvm` that change a value which `showvminfo` tells, and how many words each takes. */
const modifyArity: Readonly<Record<string, number>> = {
  ...{
    "--description": 1,
    "--cpus": 1,
    "--memory": 1,
    "--ioapic": 1,
    "--rtcuseutc": 1,
    "--firmware": 1,
    "--chipset": 1,
    "--ostype": 1,
  },
  ...{ "--boot1": 1, "--boot2": 1, "--boot3": 1, "--boot4": 1, "--graphicscontroller": 1, "--vram": 1, "--audio-enabled": 1 },
  ...{
    "--audio": 1,
    "--hpet": 1,
    "--largepages": 1,
    "--pae": 1,
    "--hwvirtex": 1,
    "--nestedpaging": 1,
    "--vtxvpid": 1,
    "--acpi": 1,
  },
  ...{ "--cpuhotplug": 1, "--accelerate3d": 1, "--bioslogofadein": 1, "--bioslogofadeout": 1, "--bioslogodisplaytime": 1 },
  ...{
    "--biosbootmenu": 1,
    "--uartN": 2,
    "--uartmodeN": 2,
    "--nicN": 1,
    "--nictypeN": 1,
    "--cableconnectedN": 1,
    "--macaddressN": 1,
  },
  ...{ "--natdnshostresolverN": 1, "--natdnsproxyN": 1, "--natlocalhostreachableN": 1, "--natpfN": 1, "--nicpromiscN": 1 },
  ...{ "--hostonlyadapterN": 1, "--host-only-netN": 1, "--name": 1 },
  ...{ "--usb-ohci": 1, "--mouse": 1 },
};

const aliases: Readonly<Record<string, string>> = {
  ...{ "--nic-typeN": "--nictypeN", "--host-only-adapterN": "--hostonlyadapterN", "--nat-pfN": "--natpfN" },
  ...{ "--nat-localhostreachableN": "--natlocalhostreachableN", "--rtc-use-utc": "--rtcuseutc", "--cpu-hotplug": "--cpuhotplug" },
};

const x86Only = ["--pae", "--hpet", "--hwvirtex", "--nestedpaging", "--largepages", "--vtxvpid"];
const cardTypes = ["Am79C970A", "Am79C973", "82540EM", "82543GC", "82545EM", "virtio", "usbnet"];

/** Each option is carried out in its turn; nothing of a call that fails is kept. Gives what is said on standard error. */
export function modifyVm(state: FakeState, options: FakeOptions, args: readonly string[], nowMs: number): string {
  const [word = "", ...rest] = args;
  const registered = accessibleVm(state, options, word);
  const { sequence } = parseArguments(rest, modifyArity, aliases);
  requireUnlocked(registered, nowMs);
  const vm = structuredClone(registered);
  const warnings = sequence.map(([name, values]) => {
    if (vm.arch === "ARM" && x86Only.includes(name)) throw new Refusal([`Invalid option case`]);
    return modify(state, options, vm, name, values);
  });
  if (options.fullDiskAt.includes("modifyvm"))
    throw coded(
      `Could not save the settings file '${vm.settingsFile}' (VERR_DISK_FULL)`,
      "VBOX_E_FILE_ERROR",
      "SessionMachine",
      "IMachine",
    );
  Object.assign(registered, vm);
  return warnings.join("");
}

function modify(state: FakeState, options: FakeOptions, vm: FakeVm, name: string, values: readonly string[]): string {
  const [first = "", second = ""] = values;
  const [, base = "", digit] = /^--(.*?)(\d*)$/u.exec(name) ?? [];
  const isOfCard = digit !== "" && !/^(?:boot|uart|uartmode)$/u.test(base);
  if (isOfCard) return modifyCard(state, options, vm, base, Number(digit), first, second);
  switch (base) {
    case "description":
      vm.description = first;
      return "";
    case "memory":
      if (Number(first) < 4 || Number(first) > 2_097_152)
        throw coded(
          `Invalid RAM size: ${first} MB (must be in range [4, 2097152] MB)`,
          "NS_ERROR_INVALID_ARG",
          "SessionMachine",
          "IMachine",
        );
      break;
    case "ostype":
      vm.osType = osTypes[first]?.[1] ?? vm.osType;
      return "";
    case "uartmode":
      vm.settings["uartmode1"] = `${first},${second}`;
      return "";
    case "audio":
      return "Warning: --audio is deprecated and will be removed soon. Use --audio-driver instead!\n";
    default:
  }
  vm.settings[`${base}${digit}`] = base === "firmware" ? first.toUpperCase() : base === "uart" ? `${first},${second}` : first;
  return "";
}

function modifyCard(
  state: FakeState,
  options: FakeOptions,
  vm: FakeVm,
  base: string,
  number: number,
  first: string,
  second: string,
): string {
  const card = vm.cards[number - 1];
  if (card === undefined) throw new Refusal([`Invalid NIC slot number: ${number}`]);
  switch (base) {
    case "nic": {
      const kinds = ["none", "nat", "hostonly", ...(options.os === "darwin" ? ["hostonlynet"] : [])];
      if (!kinds.includes(first)) throw new Refusal([`Invalid type '${first}' specfied for NIC ${number}`]);
      card.kind = first as FakeCard["kind"];
      return "";
    }
    case "nictype":
      if (!cardTypes.includes(first)) throw new Refusal([`Invalid NIC type '${first}' specified for NIC ${number}`]);
      card.type = first;
      return "";
    case "macaddress":
      if (!/^[0-9A-F]{12}$/iu.test(first)) throw new Refusal([`Invalid MAC address format`]);
      card.mac = first.toUpperCase();
      return "";
    case "nicpromisc":
      card.promiscuous = first;
      return "";
    case "hostonlyadapter":
      card.adapter = first;
      return state.interfaces.some((one) => one.name === first)
        ? ""
        : `VBoxManage: warning: Interface "${first}" doesn't seem to exist\n`;
    case "host-only-net":
      card.adapter = first;
      return "";
    case "natpf":
      forward(card, first, second);
      return "";
    default:
      return "";
  }
}

function forward(card: FakeCard, first: string, second: string): void {
  const wrong = (words: string): Refusal => coded(words, "NS_ERROR_INVALID_ARG", "NATEngineWrap", "INATEngine");
  if (first === "delete") {
    if (!card.forwards.some(({ name }) => name === second))
      throw new Refusal(["Code NS_ERROR_INVALID_ARG (0x80070057) - Invalid argument value (extended info not available)"]);
    card.forwards = card.forwards.filter(({ name }) => name !== second);
    return;
  }
  const [name = "", , , hostPort = "", , guestPort = ""] = first.split(",");
  // It keeps sixteen bits of whatever is given.
  const rule = { name, hostPort: Number(hostPort) & 0xffff, guestPort: Number(guestPort) & 0xffff };
  if (card.forwards.some((one) => one.name === name)) throw wrong("A NAT rule of this name already exists");
  if (card.forwards.some((one) => one.hostPort === rule.hostPort))
    throw wrong("A NAT rule for this host port and this host IP already exists");
  card.forwards = [...card.forwards, rule].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

export function requireUnlocked(vm: FakeVm, nowMs: number): void {
  if (["poweroff", "saved", "aborted"].includes(vm.state) && nowMs >= vm.lockedUntilMs) return;
  const words = `The machine '${vm.name}' is already locked for a session (or being unlocked)`;
  throw coded(words, "VBOX_E_INVALID_OBJECT_STATE", "MachineWrap", "IMachine");
}

export function unregisterVm(state: FakeState, options: FakeOptions, args: readonly string[], nowMs: number): void {
  const { words, values } = parseArguments(args, { "--delete": 0 });
  const vm = vmOf(state, options, words[0] ?? "");
  const isReadable = isAccessible(options, vm);
  if (isReadable && (!["poweroff", "saved", "aborted"].includes(vm.state) || nowMs < vm.lockedUntilMs))
    throw coded(
      `Cannot unregister the machine '${vm.name}' while it is locked`,
      "VBOX_E_INVALID_OBJECT_STATE",
      "MachineWrap",
      "IMachine",
    );
  state.vms = state.vms.filter((one) => one !== vm);
  const ports = vm.controllers.flatMap((controller) => controller.ports);
  // CDs stay known, and disks do not.
  for (const { kind, medium, uuid } of ports)
    if (kind === "dvddrive" && !state.media.some(({ file }) => file === medium))
      state.media.push({ uuid, file: medium, kind, sizeMiB: 0 });
  if (!values.has("--delete")) return;
  if (!isReadable) throw coded("The object is not ready", "E_ACCESSDENIED", "MachineWrap", "IMachine");
  const kept = state.vms.flatMap((one) => one.controllers.flatMap((controller) => controller.ports.map(({ medium }) => medium)));
  for (const { kind, medium } of ports)
    if (kind === "hdd" && !kept.includes(medium)) rmSync(inRoot(options, medium), { force: true });
  rmSync(inRoot(options, vm.settingsFile), { force: true });
}

export function addShare(state: FakeState, options: FakeOptions, args: readonly string[], nowMs: number): void {
  const { words, values } = parseArguments(args, { "--name": 1, "--hostpath": 1, "--automount": 0, "--readonly": 0 });
  const [action, word = ""] = words;
  if (action !== "add") throw new Refusal([`Invalid parameter '${action}'`], 2);
  const [name = "", hostPath = ""] = [values.get("--name"), values.get("--hostpath")];
  if (/\s/u.test(name)) throw new Refusal([`Invalid shared folder name '${name}': contains space`], 2);
  const vm = accessibleVm(state, options, word);
  requireUnlocked(vm, nowMs);
  if (vm.shares.some((share) => share.name === name))
    throw coded(`Shared folder named '${name}' already exists`, "VBOX_E_OBJECT_IN_USE", "SessionMachine", "IMachine");
  if (!existsSync(inRoot(options, hostPath))) {
    const failed = `RTPathQueryInfo failed on shared folder path '${hostPath}': VERR_FILE_NOT_FOUND`;
    throw coded(failed, "NS_ERROR_INVALID_ARG", "SharedFolderWrap", "ISharedFolder");
  }
  vm.shares.push({ name, hostPath });
}
