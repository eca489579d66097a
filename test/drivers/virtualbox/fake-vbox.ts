/**
 * A VirtualBox in this process: VBoxManage's commands on a state that lasts from call to call, with real files for settings, disks
 * and CDs. What it says is held against recorded answers of the product (`fake-vbox.test.ts`); what it does with machines that
 * run, and with interfaces, is told by VirtualBox's manual alone, for want of the kernel module.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import type { Clock } from "../../../src/system/clock.ts";
import { parseArguments } from "./fake-arguments.ts";
import { list, machineReadable } from "./fake-listings.ts";
import { addShare, createVm, modifyVm, requireUnlocked, unregisterVm } from "./fake-machines.ts";
import { addController, attachMedium, cloneMedium, closeMedium, convertFromRaw, modifyMedium, Told } from "./fake-media.ts";
import { dhcpServer, hostOnlyInterface, hostOnlyNetwork } from "./fake-networks.ts";
import {
  accessibleVm,
  coded,
  fakeDefaults,
  freshState,
  inRoot,
  Refusal,
  type FakeOptions,
  type FakeState,
  type FakeVm,
} from "./fake-state.ts";

export interface FakeAnswer {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What machines run on. */
export interface FakeHardware {
  /** Gives the address of the second card, "" where it is to have none. */
  boot(vm: FakeVm): Promise<string>;
  off(vm: FakeVm): Promise<void>;
}

/** A session holds its machine for a moment after the end. */
const unlockMs = 1_000;
/** From the button to the end. */
const shutdownMs = 1_000;

export class FakeVBox {
  readonly options: FakeOptions;
  /** All calls, in their order. */
  readonly calls: (readonly string[])[] = [];
  state: FakeState = freshState();
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #hardware: FakeHardware | undefined;

  constructor(clock: Pick<Clock, "monotonicMs">, options: Partial<FakeOptions> = {}, hardware?: FakeHardware) {
    this.#clock = clock;
    this.options = { ...fakeDefaults, ...options };
    this.#hardware = hardware;
  }

  /** @param content what came on standard input */
  async run(args: readonly string[], content: Uint8Array = new Uint8Array()): Promise<FakeAnswer> {
    this.calls.push(args);
    await this.#passTime();
    const { warning } = this.options;
    try {
      const { stdout = "", stderr = "" } = await this.#command(args, content);
      return { status: 0, stdout: warning + stdout, stderr };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const told = error instanceof Told ? error.told : "";
      const lines = error.message.split("\n").map((line) => `VBoxManage: error: ${line}\n`);
      return { status: error.status, stdout: warning + error.stdout, stderr: told + lines.join("") };
    }
  }

  get #nowMs(): number {
    return this.#clock.monotonicMs();
  }

  /** Machines whose button was pressed are off after a while, and those that boot get their address. */
  async #passTime(): Promise<void> {
    for (const vm of this.state.vms) {
      if (vm.offAtMs !== 0 && this.#nowMs >= vm.offAtMs) await this.#end(vm);
      if (vm.state === "running" && vm.address === "" && this.#nowMs >= vm.startedMs + this.options.bootMs)
        vm.address = await this.#addressOf(vm);
    }
  }

  async #addressOf(vm: FakeVm): Promise<string> {
    if (this.#hardware !== undefined) return await this.#hardware.boot(vm);
    const [, card] = vm.cards;
    const server = this.state.dhcp.find(({ networkName }) => networkName === `HostInterfaceNetworking-${card.adapter}`);
    if (card.kind !== "hostonly" || server?.enabled !== true) return "";
    const [, prefix = "", last = "0"] = /^(.*\.)(\d+)$/u.exec(server.lower) ?? [];
    return `${prefix}${Number(last) + this.state.vms.indexOf(vm)}`;
  }

  async #end(vm: FakeVm): Promise<void> {
    vm.state = "poweroff";
    vm.offAtMs = 0;
    vm.address = "";
    vm.lockedUntilMs = this.#nowMs + unlockMs;
    await this.#hardware?.off(vm);
  }

  async #command(args: readonly string[], content: Uint8Array): Promise<{ stdout?: string; stderr?: string }> {
    const { options, state } = this;
    const [command = "", ...rest] = args;
    switch (command) {
      case "--version":
        return { stdout: `${options.version}\n` };
      case "list":
        return { stdout: list(state, options, rest) };
      case "showvminfo":
        return { stdout: machineReadable(accessibleVm(state, options, rest[0] ?? "")) };
      case "createvm":
        return { stdout: createVm(state, options, rest) };
      case "modifyvm":
        return { stderr: modifyVm(state, options, rest, this.#nowMs) };
      case "storagectl":
        return this.#done(addController(state, options, rest, this.#nowMs));
      case "storageattach":
        return this.#done(attachMedium(state, options, rest, this.#nowMs));
      case "convertfromraw":
        return { stderr: convertFromRaw(state, options, rest, content) };
      case "modifymedium":
        return this.#done(modifyMedium(state, options, rest));
      case "clonemedium":
        return { stdout: cloneMedium(state, options, rest) };
      case "closemedium":
        return this.#done(closeMedium(state, options, rest));
      case "sharedfolder":
        return this.#done(addShare(state, options, rest, this.#nowMs));
      case "unregistervm":
        return this.#done(unregisterVm(state, options, rest, this.#nowMs));
      case "setextradata":
        return this.#done(this.#setExtraData(rest));
      case "getextradata":
        return { stdout: this.#getExtraData(rest) };
      case "guestproperty":
        return { stdout: this.#guestProperty(rest) };
      case "hostonlyif":
        return { stdout: hostOnlyInterface(state, options, rest) };
      case "hostonlynet":
        return this.#done(hostOnlyNetwork(state, options, rest));
      case "dhcpserver":
        return { stdout: dhcpServer(state, rest) };
      case "startvm":
        return { stdout: await this.#start(rest) };
      case "controlvm":
        return await this.#control(rest);
      case "discardstate":
        return this.#discardState(rest);
      default:
        throw new Refusal([`Invalid command '${command}'`], 2);
    }
  }

  #done(_nothing: void): { stdout?: string } {
    return {};
  }

  #setExtraData([where = "", key = "", value]: readonly string[]): void {
    const target = where === "global" ? this.state.extra : accessibleVm(this.state, this.options, where).extra;
    if (value === undefined) delete target[key];
    else target[key] = value;
  }

  #getExtraData([where = "", key = ""]: readonly string[]): string {
    const target = where === "global" ? this.state.extra : accessibleVm(this.state, this.options, where).extra;
    if (key === "enumerate")
      return Object.entries(target)
        .map(([name, value]) => `Key: ${name}, Value: ${value}\n`)
        .join("");
    return target[key] === undefined ? "No value set!\n" : `Value: ${target[key]}\n`;
  }

  #guestProperty([action = "", word = "", key = "", value = ""]: readonly string[]): string {
    const { properties } = accessibleVm(this.state, this.options, word);
    if (action === "set") {
      properties[key] = value;
      return "";
    }
    return properties[key] === undefined ? "No value set!\n" : `Value: ${properties[key]}\n`;
  }

  async #start(args: readonly string[]): Promise<string> {
    const { words, values } = parseArguments(args, { "--type": 1 });
    const vm = accessibleVm(this.state, this.options, words[0] ?? "");
    const frontend = values.get("--type") ?? "gui";
    if (!["gui", "sdl", "headless", "separate"].includes(frontend))
      throw coded(`Invalid frontend name: '${frontend}'`, "NS_ERROR_INVALID_ARG", "MachineWrap", "IMachine");
    if (!["poweroff", "saved", "aborted"].includes(vm.state) || this.#nowMs < vm.lockedUntilMs)
      throw coded(
        `The machine '${vm.name}' is already locked by a session (or being locked or unlocked)`,
        "VBOX_E_INVALID_OBJECT_STATE",
        "MachineWrap",
        "IMachine",
      );
    const waiting = `Waiting for VM "${vm.name}" to power on...\n`;
    this.#requireStartable(vm, waiting);
    vm.state = "running";
    vm.startedMs = this.#nowMs;
    vm.address = "";
    return `${waiting}VM "${vm.name}" has been successfully started.\n`;
  }

  #requireStartable(vm: FakeVm, waiting: string): void {
    const lost = vm.controllers.flatMap(({ ports }) => ports).find(({ medium }) => !existsSync(inRoot(this.options, medium)));
    const [, card] = vm.cards;
    const known = card.kind === "hostonlynet" ? this.state.networks : this.state.interfaces;
    const isCut = card.kind.startsWith("hostonly") && !known.some(({ name }) => name === card.adapter);
    const { refuses } = this.options;
    if (refuses !== undefined) {
      const folder = path.join(path.dirname(vm.settingsFile), "Logs");
      mkdirSync(inRoot(this.options, folder), { recursive: true });
      writeFileSync(inRoot(this.options, path.join(folder, "VBox.log")), `00:00:01.000 ${refuses.log}\n`);
    }
    const words =
      refuses?.words ??
      (lost === undefined ? undefined : `Could not open the medium '${lost.medium}'. VD: error VERR_FILE_NOT_FOUND`) ??
      (isCut
        ? `Failed to open/create the internal network 'HostInterfaceNetworking-${card.adapter}' (VERR_INTNET_FLT_IF_NOT_FOUND)`
        : undefined);
    if (words === undefined) return;
    throw new Refusal(
      [words, "Details: code NS_ERROR_FAILURE (0x80004005), component ConsoleWrap, interface IConsole"],
      1,
      waiting,
    );
  }

  async #control([word = "", action = ""]: readonly string[]): Promise<{ stdout?: string; stderr?: string }> {
    const vm = accessibleVm(this.state, this.options, word);
    if (!["running", "paused"].includes(vm.state)) throw new Refusal([`Machine '${vm.name}' is not currently running.`]);
    switch (action) {
      case "poweroff":
        await this.#end(vm);
        return { stderr: "0%...10%...20%...30%...40%...50%...60%...70%...80%...90%...100%\n" };
      case "acpipowerbutton":
        if (vm.state === "paused")
          throw coded("Invalid machine state: Paused", "VBOX_E_INVALID_VM_STATE", "ConsoleWrap", "IConsole");
        if (vm.offAtMs === 0 && this.#nowMs >= vm.startedMs + this.options.deafMs) vm.offAtMs = this.#nowMs + shutdownMs;
        return {};
      case "pause":
        vm.state = "paused";
        return {};
      case "resume":
        if (vm.state !== "paused")
          throw coded("Cannot resume the machine as it is not paused", "VBOX_E_INVALID_VM_STATE", "ConsoleWrap", "IConsole");
        vm.state = "running";
        return {};
      case "savestate":
        await this.#end(vm);
        vm.state = "saved";
        return {};
      default:
        throw new Refusal([`Invalid parameter '${action}'`], 2);
    }
  }

  /** Where there is nothing to discard it says so, and ends well. */
  #discardState([word = ""]: readonly string[]): { stderr?: string } {
    const vm = accessibleVm(this.state, this.options, word);
    if (vm.state === "saved") {
      requireUnlocked(vm, this.#nowMs);
      vm.state = "poweroff";
      return {};
    }
    const words =
      "Cannot discard the saved state as the machine is not in the Saved or Aborted-Saved state (machine state: PoweredOff)";
    return {
      stderr: `VBoxManage: error: ${words}\nVBoxManage: error: Details: code VBOX_E_INVALID_VM_STATE (0x80bb0002), component SessionMachine, interface IMachine\n`,
    };
  }
}
