/** What Hyper-V's cmdlets do, as Microsoft's documentation has it, and when they refuse. No more of them than scripts of ours use. */
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { readSeed } from "../../support/iso-reader.ts";
import { PowerShellError } from "./cmdlet-rules.ts";
import { convert, invalid, requireCd, requireDisk } from "./fake-disks.ts";
import type { Arguments, Behaviour, FakeSwitch, FakeVm, PowerShellObject } from "./fake-model.ts";

const mib = 1024 * 1024;

export function required(vms: readonly FakeVm[], id: string): FakeVm {
  const found = vms.find((vm) => vm.Id === id);
  if (found !== undefined) return found;
  throw new PowerShellError("InvalidParameter,Microsoft.HyperV.PowerShell", `Kein virtueller Computer mit der ID ${id}`);
}

/** By its hardware address and its boot: another after each. */
export function addressOf({ mac, startedMs }: FakeVm): string {
  return `172.27.${Math.floor(startedMs / 1000) % 200}.${Number.parseInt(mac.slice(-2), 16) || 1}`;
}

export class Cmdlets {
  vms: FakeVm[];
  readonly #switches: readonly FakeSwitch[];
  readonly #behaviour: Behaviour;
  readonly #nowMs: number;

  constructor(switches: readonly FakeSwitch[], vms: FakeVm[], behaviour: Behaviour, nowMs: number) {
    this.vms = vms;
    this.#switches = switches;
    this.#behaviour = behaviour;
    this.#nowMs = nowMs;
  }

  run(cmdlet: string, given: Arguments): readonly PowerShellObject[] {
    const text = (name: string): string => given.text(name);
    const vm = (): FakeVm => required(this.vms, given.objectId("VM"));
    const number = (name: string): number => given.number(name);
    switch (cmdlet) {
      case "Hyper-V\\Get-VM":
        return this.#find(given).map(vmObject);
      case "Hyper-V\\Get-VMSwitch":
        return this.#switches.map((one) => ({ type: "VMSwitch", id: one.Id, properties: { ...one } }));
      case "Hyper-V\\Convert-VHD":
        return convert(text("Path"), text("DestinationPath"), given.has("DeleteSource"));
      case "Hyper-V\\New-VM":
        return [vmObject(this.#newVm(given))];
      case "Hyper-V\\Set-VM":
        return this.#setVm(vm(), given);
      case "Hyper-V\\Set-VMProcessor":
        requireOff(vm());
        vm().cpus = number("Count");
        return [];
      case "Hyper-V\\Set-VMMemory":
        return setMemory(vm(), given);
      case "Hyper-V\\Set-VMFirmware":
        return setFirmware(vm(), given);
      case "Hyper-V\\Set-VMNetworkAdapter":
        if (!/^[0-9A-F]{12}$/iu.test(text("StaticMacAddress"))) throw invalid("InvalidParameter", "Keine MAC-Adresse");
        requireOff(vm());
        vm().mac = text("StaticMacAddress").toUpperCase();
        return [];
      case "Hyper-V\\Set-VMNetworkAdapterVlan":
        if (!given.has("Access") || number("VlanId") < 1 || number("VlanId") > 4094)
          throw invalid("InvalidParameter", "Keine VLAN-ID ohne Zugriffsmodus");
        vm().vlan = number("VlanId");
        return [];
      case "Hyper-V\\Add-VMDvdDrive":
        vm().drives.push(requireCd(text("Path")));
        return [];
      case "Hyper-V\\Get-VMDvdDrive":
        return vm().drives.map((_path, index) => ({ type: "DvdDrive", id: `${vm().Id}/${index}`, properties: {} }));
      case "Hyper-V\\Set-VMDvdDrive":
        return this.#setDrive(given);
      case "Hyper-V\\Get-VMHardDiskDrive":
        return vm().disks.map((Path) => ({ type: "HardDiskDrive", id: Path, properties: { Path } }));
      case "Hyper-V\\Start-VM":
        return this.#start(vm());
      case "Hyper-V\\Stop-VM":
        return this.#stop(vm(), given);
      case "Hyper-V\\Resume-VM":
        if (vm().State !== "Paused") throw invalid("InvalidState", "Ungültiger Status");
        vm().State = "Running";
        return [];
      case "Hyper-V\\Remove-VM":
        return this.#remove(vm(), given);
      case "Hyper-V\\Get-VMNetworkAdapter":
        return [this.#adapter(vm())];
      case "NetTCPIP\\Get-NetNeighbor":
        return this.#neighbours(text("LinkLayerAddress"), text("ErrorAction"));
      case "DnsClient\\Resolve-DnsName":
        return this.#records(text("Name"), text("ErrorAction"));
      default:
        throw new Error(`the stand-in has no ${cmdlet}`);
    }
  }

  /** Without an id all, by a name those that it fits: there may be several, and `*` fits any. */
  #find(given: Arguments): readonly FakeVm[] {
    if (given.has("Id")) return [required(this.vms, given.text("Id").toLowerCase())];
    if (!given.has("Name")) return this.vms;
    const pattern = given
      .text("Name")
      .replaceAll(/[.+^${}()|[\]\\]/gu, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".");
    const found = this.vms.filter(({ Name }) => new RegExp(`^${pattern}$`, "iu").test(Name));
    if (found.length === 0) throw invalid("InvalidParameter", `Kein virtueller Computer mit dem Namen ${pattern}`);
    return found;
  }

  #newVm(given: Arguments): FakeVm {
    const [name, folder, disk] = [given.text("Name"), given.text("Path"), given.text("VHDPath")];
    const [generation, boot, switchName] = [given.number("Generation", 1), given.text("BootDevice"), given.text("SwitchName")];
    if (this.#switches.filter(({ Name }) => Name === switchName).length !== 1)
      throw invalid("InvalidParameter", `Kein virtueller Switch mit dem Namen ${switchName}`);
    requireDisk(disk, generation);
    if (generation === 1 && boot === "VHD") throw invalid("InvalidParameter", "VHD gilt nur für Generation 2");
    if (generation === 2 && !["VHD", "CD", "NetworkAdapter"].includes(boot))
      throw invalid("InvalidParameter", "Nicht für Generation 2");
    const startup = given.number("MemoryStartupBytes");
    if (startup % (2 * mib) !== 0) throw invalid("InvalidParameter", "Der Speicher ist kein Vielfaches von 2 MB");
    const Id = randomUUID();
    const location = path.join(folder, name);
    mkdirSync(path.join(location, "Virtual Machines"), { recursive: true });
    writeFileSync(path.join(location, "Virtual Machines", `${Id}.vmcx`), name);
    const vm: FakeVm = {
      ...{ Id, Name: name, Generation: generation, State: "Off", Status: "Operating normally", Notes: "" },
      ConfigurationLocation: location,
      switchName,
      memory: { startup, isDynamic: false },
      ...{ cpus: 1, mac: "000000000000", secureBoot: "On", template: "MicrosoftWindows" },
      autoCheckpoints: this.#behaviour.isOld !== true,
      automatic: { start: "StartIfRunning", stop: "Save" },
      disks: [disk],
      drives: generation === 1 ? [""] : [],
      bootDevice: boot,
      startedMs: 0,
    };
    this.vms.push(vm);
    return vm;
  }

  #setVm(vm: FakeVm, given: Arguments): readonly PowerShellObject[] {
    requireOff(vm);
    if (given.has("AutomaticCheckpointsEnabled") && this.#behaviour.isOld === true)
      throw new PowerShellError("NamedParameterNotFound", "Es wurde kein Parameter gefunden: AutomaticCheckpointsEnabled");
    if (given.has("StaticMemory") === given.has("DynamicMemory")) throw invalid("InvalidParameter", "Statisch oder dynamisch");
    const [least, most] = ["MemoryMinimumBytes", "MemoryMaximumBytes"].map((name) => given.has(name));
    if (given.has("StaticMemory") && (least === true || most === true))
      throw invalid("InvalidParameter", "Statischer Speicher hat keine Grenzen");
    const [minimum, maximum] = [given.number("MemoryMinimumBytes"), given.number("MemoryMaximumBytes")];
    if (minimum > vm.memory.startup || maximum < vm.memory.startup)
      throw invalid("InvalidParameter", "Der Speicher beim Start liegt außerhalb der Grenzen");
    vm.memory = {
      startup: vm.memory.startup,
      isDynamic: given.has("DynamicMemory"),
      ...(least === true ? { minimum } : {}),
      ...(most === true ? { maximum } : {}),
    };
    vm.Notes = given.text("Notes", vm.Notes);
    vm.autoCheckpoints = given.truth("AutomaticCheckpointsEnabled", vm.autoCheckpoints);
    vm.automatic = {
      start: given.text("AutomaticStartAction", vm.automatic.start),
      stop: given.text("AutomaticStopAction", vm.automatic.stop),
    };
    return [];
  }

  #setDrive(given: Arguments): readonly PowerShellObject[] {
    const [id = "", index = ""] = given.objectId("VMDvdDrive").split("/");
    const vm = required(this.vms, id);
    if (vm.drives[Number(index)] === undefined) throw invalid("ObjectNotFound", "Kein DVD-Laufwerk");
    vm.drives[Number(index)] = requireCd(given.text("Path"));
    return [];
  }

  #start(vm: FakeVm): readonly PowerShellObject[] {
    if (vm.State === "Running") return [];
    if (vm.State !== "Off" && vm.State !== "Saved") throw invalid("InvalidState", "Ungültiger Status");
    const taken = this.vms.filter(({ State }) => State === "Running");
    const used = [vm, ...taken].reduce((sum, { memory }) => sum + memory.startup, 0);
    if (used > (this.#behaviour.memoryMiB ?? 16_384) * mib)
      throw invalid("OutOfMemory", "Nicht genügend Arbeitsspeicher. (0x8007000E)");
    for (const disk of vm.disks) {
      if (!existsSync(disk)) throw invalid("OperationFailed", `Die Datei ${disk} fehlt. (0x80070002)`);
      if (taken.some(({ disks }) => disks.includes(disk)))
        throw invalid("OperationFailed", `${disk} wird verwendet. (0x80070020)`);
    }
    for (const drive of vm.drives.filter((file) => file !== "")) requireCd(drive);
    if (vm.State === "Off") {
      const seed = vm.drives.flatMap((file) => (file === "" ? [] : [readSeed(file)])).find((found) => found !== undefined);
      if (seed !== undefined) vm.seed = seed;
    }
    vm.State = "Running";
    vm.startedMs = this.#nowMs;
    return [];
  }

  #stop(vm: FakeVm, given: Arguments): readonly PowerShellObject[] {
    if (vm.State === "Off") return [];
    if (vm.State === "Saved") throw invalid("InvalidState", "Ungültiger Status");
    if (given.has("TurnOff")) {
      // It asks whether it should, unless it is told that it should.
      if (!given.has("Force")) throw noPrompt();
      vm.State = "Off";
      return [];
    }
    if (vm.State !== "Running") throw invalid("InvalidState", "Ungültiger Status");
    // Without the integration service it asks whether to switch off.
    if (this.#behaviour.shutdown === "refused") throw noPrompt();
    vm.State = "Off";
    return [];
  }

  #remove(vm: FakeVm, given: Arguments): readonly PowerShellObject[] {
    if (!given.has("Force")) throw noPrompt();
    if (!/^(?:Off|Saved)/u.test(vm.State)) throw invalid("InvalidState", "Ungültiger Status");
    removeConfiguration(vm);
    this.vms = this.vms.filter(({ Id }) => Id !== vm.Id);
    return [];
  }

  /** A guest that cannot boot says nothing; one that can, by the daemon that tells, if it has that. */
  #adapter(vm: FakeVm): PowerShellObject {
    const told = this.#behaviour.hasKvp === true && this.#isUp(vm) ? ["fe80::215:5dff:fe00:1", "169.254.7.7", addressOf(vm)] : [];
    return { type: "VMNetworkAdapter", id: vm.Id, properties: { MacAddress: vm.mac, IPAddresses: told } };
  }

  #isUp(vm: FakeVm): boolean {
    const boots = vm.secureBoot === "Off" || vm.Generation === 1 || vm.template === "MicrosoftUEFICertificateAuthority";
    const isNew = this.#nowMs - vm.startedMs < (this.#behaviour.addressMs ?? 5_000);
    return vm.State === "Running" && boots && !isNew && this.#behaviour.isMute !== true;
  }

  #neighbours(linkLayerAddress: string, errorAction: string): readonly PowerShellObject[] {
    if (!/^[0-9A-F]{2}(?:-[0-9A-F]{2}){5}$/u.test(linkLayerAddress)) throw invalid("InvalidParameter", "Keine Adresse");
    const vm = this.vms.find(({ mac }) => mac === linkLayerAddress.replaceAll("-", ""));
    const isSeen = this.#behaviour.hasNames !== true;
    const up = vm !== undefined && isSeen && this.#isUp(vm) ? [["Reachable", addressOf(vm)] as const] : [];
    // What was there before, and what has not answered.
    const all = vm === undefined ? [] : [["Unreachable", "172.27.0.250"] as const, ...up];
    if (all.length === 0 && errorAction !== "SilentlyContinue")
      throw new PowerShellError(
        "CmdletizationQuery_NotFound_LinkLayerAddress,Get-NetNeighbor",
        "Keine Nachbarn",
        "ObjectNotFound",
      );
    return all.map(([State, IPAddress]) => ({ type: "NetNeighbor", id: IPAddress, properties: { IPAddress, State } }));
  }

  #records(name: string, errorAction: string): readonly PowerShellObject[] {
    const known = this.#behaviour.hasNames === true ? this.vms.filter((vm) => this.#isUp(vm)) : [];
    const found = known.filter(({ Name }) => `${Name}.mshome.net` === name);
    if (found.length === 0 && errorAction !== "SilentlyContinue")
      throw new PowerShellError(
        "DNS_ERROR_RCODE_NAME_ERROR,Microsoft.DnsClient.Commands.ResolveDnsName",
        `${name}: DNS-Name ist nicht vorhanden`,
      );
    return found.map((vm) => ({ type: "DnsRecord", id: name, properties: { IPAddress: addressOf(vm) } }));
  }
}

/** The folders stay. */
export function removeConfiguration({ Id, ConfigurationLocation }: FakeVm): void {
  rmSync(path.join(ConfigurationLocation, "Virtual Machines", `${Id}.vmcx`), { force: true });
}

function vmObject(vm: FakeVm): PowerShellObject {
  const { Id, Name, State, Status, Notes, ConfigurationLocation } = vm;
  return { type: "VirtualMachine", id: Id, properties: { Id, Name, State, Status, Notes, ConfigurationLocation } };
}

function noPrompt(): PowerShellError {
  return new PowerShellError(
    "InvalidOperation,Microsoft.HyperV.PowerShell.Commands.StopVM",
    "Windows PowerShell ist im NonInteractive-Modus.",
    "InvalidOperation",
  );
}

function requireOff({ State }: FakeVm): void {
  if (State !== "Off") throw invalid("InvalidState", "Der virtuelle Computer ist nicht ausgeschaltet");
}

function setMemory(vm: FakeVm, given: Arguments): readonly PowerShellObject[] {
  requireOff(vm);
  const bytes = (name: string, before: number | undefined): number | undefined => (given.has(name) ? given.number(name) : before);
  const { memory } = vm;
  const startup = bytes("StartupBytes", memory.startup) ?? 0;
  const [minimum, maximum] = [bytes("MinimumBytes", memory.minimum), bytes("MaximumBytes", memory.maximum)];
  if (startup % (2 * mib) !== 0) throw invalid("InvalidParameter", "Der Speicher ist kein Vielfaches von 2 MB");
  if (!memory.isDynamic && (given.has("MinimumBytes") || given.has("MaximumBytes")))
    throw invalid("InvalidParameter", "Statischer Speicher hat keine Grenzen");
  if ((minimum ?? 0) > startup || (maximum ?? Number.POSITIVE_INFINITY) < startup)
    throw invalid("InvalidParameter", "Der Speicher beim Start liegt außerhalb der Grenzen");
  vm.memory = {
    ...{ startup, isDynamic: memory.isDynamic },
    ...(minimum === undefined ? {} : { minimum }),
    ...(maximum === undefined ? {} : { maximum }),
  };
  return [];
}

function setFirmware(vm: FakeVm, given: Arguments): readonly PowerShellObject[] {
  if (vm.Generation !== 2) throw invalid("InvalidOperation", "Nur für Generation 2");
  requireOff(vm);
  vm.secureBoot = given.text("EnableSecureBoot") === "Off" ? "Off" : "On";
  vm.template = given.text("SecureBootTemplate", vm.template);
  return [];
}
