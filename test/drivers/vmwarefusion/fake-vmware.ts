/**
 * VMware where the driver can see it: which machines run, what their files must say, disks that are converted, leases that
 * are written down. Its state is a file, so that it is the same for the programs and for a test that looks. What the product
 * refuses it refuses in the product's words, on standard output, with status 255.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { readSeed } from "../../support/iso-reader.ts";
import { headOf, parseDescription, startProblem, streamCapacity } from "./vmx-rules.ts";

/** What this computer and its guests are like. */
export interface Behaviour {
  readonly product?: "fusion" | "ws";
  readonly version?: string;
  readonly arch?: "x64" | "arm64";
  /** Programs that are not there. */
  readonly missing?: readonly string[];
  /** The programs are where Windows' registry says, and nowhere else. */
  readonly isInRegistry?: boolean;
  /** VMware's tools in guests. */
  readonly tools?: "running" | "installed" | "unknown";
  /** `stop soft` waits for tools that never answer, until another process switches off. */
  readonly hangs?: boolean;
  /** Guests hear a shutdown. */
  readonly isDeaf?: boolean;
  /** Where a guest's address can be learned. */
  readonly address?: "leases" | "arp" | "tools" | "bridge" | "never";
  /** Commands that fail, with their words. */
  readonly failing?: Readonly<Record<string, string>>;
  readonly memoryMiB?: number;
}

export interface FakeRunning {
  /** With all links followed. */
  readonly vmx: string;
  readonly startedMs: number;
  readonly mac: string;
  readonly memoryMiB: number;
  readonly seed?: { readonly userData: string; readonly metaData: string };
}

interface FakeState {
  readonly running: FakeRunning[];
  /** Files of machines that were ever started, or are another's. */
  readonly seen: string[];
}

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** It waits until this machine is switched off. */
  readonly waitsFor?: string;
}

const hardware: Readonly<Record<string, number>> = { "16": 18, "17": 20, "12": 18, "13": 20 };

export class FakeVmware {
  readonly folder: string;
  readonly #now: () => number;

  constructor(folder: string, now: () => number = Date.now) {
    this.folder = folder;
    this.#now = now;
  }

  static install(folder: string, behaviour: Behaviour = {}, now?: () => number): FakeVmware {
    mkdirSync(path.join(folder, "ProgramData", "VMware"), { recursive: true });
    const fake = new FakeVmware(realpathSync(folder), now);
    fake.behave(behaviour);
    fake.#save({ running: [], seen: [] });
    return fake;
  }

  behave(behaviour: Behaviour): void {
    this.#write("behaviour.json", behaviour);
  }

  get behaviour(): Behaviour {
    return JSON.parse(readFileSync(path.join(this.folder, "behaviour.json"), "utf8")) as Behaviour;
  }

  get #state(): FakeState {
    return JSON.parse(readFileSync(path.join(this.folder, "state.json"), "utf8")) as FakeState;
  }

  get running(): readonly FakeRunning[] {
    return this.#state.running;
  }

  /** Files of machines that are there: with a file, or running without one. */
  get machines(): readonly string[] {
    const { running, seen } = this.#state;
    return [...new Set([...seen.filter((vmx) => existsSync(vmx)), ...running.map(({ vmx }) => vmx)])];
  }

  #save(state: FakeState): void {
    this.#write("state.json", state);
    this.#writeLeases(state);
  }

  #write(name: string, value: unknown): void {
    const file = path.join(this.folder, name);
    writeFileSync(`${file}.${process.pid}`, JSON.stringify(value));
    renameSync(`${file}.${process.pid}`, file);
  }

  /** A machine of someone else, in a folder of its own. */
  addForeign(name: string, isRunning = false): string {
    const folder = path.join(this.folder, "theirs", `${name}.vmwarevm`);
    mkdirSync(folder, { recursive: true });
    const vmx = path.join(folder, `${name}.vmx`);
    writeFileSync(vmx, `.encoding = "UTF-8"\ndisplayName = "${name}"\n`);
    writeFileSync(path.join(folder, `${name}.vmdk`), "KDMV of someone");
    const { running, seen } = this.#state;
    const more = isRunning ? [{ vmx, startedMs: 0, mac: "000c29000001", memoryMiB: 512 }] : [];
    this.#save({ running: [...running, ...more], seen: [...seen, vmx] });
    return vmx;
  }

  /** It ends, as a guest does that shuts down. */
  end(vmx: string): void {
    const { running, seen } = this.#state;
    this.#save({ running: running.filter((one) => one.vmx !== vmx), seen });
  }

  /** A guest whose user asked it to shut down. */
  powerOff(vmx: string): void {
    if (this.behaviour.isDeaf !== true) this.end(vmx);
  }

  /** Someone removes it, with its files. */
  lose(vmx: string): void {
    this.end(vmx);
    rmSync(vmx, { force: true });
  }

  addressOf(vmx: string): string {
    const found = this.running.find((one) => one.vmx === vmx);
    return found === undefined ? "" : addressOf(found);
  }

  /** Lines of all calls so far. */
  get calls(): readonly string[] {
    const file = path.join(this.folder, "calls.log");
    return existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
  }

  run(program: string, args: readonly string[]): Outcome {
    appendFileSync(path.join(this.folder, "calls.log"), `${[program, ...args].join(" ")}\n`);
    switch (program) {
      case "vmrun":
        return this.#vmrun(args);
      case "vmware-vdiskmanager":
        return this.#convert(args);
      case "vmware-vmx":
        return { status: 0, stdout: "", stderr: this.#versionLine() };
      case "reg":
        return ok(registryAnswer(args));
      case "arp":
        return ok(this.#neighbours(args));
      default:
        throw new Error(`no program ${program}`);
    }
  }

  get #product(): "fusion" | "ws" {
    return this.behaviour.product ?? "ws";
  }

  #version(): string {
    return this.behaviour.version ?? (this.#product === "fusion" ? "13.6.3" : "17.6.3");
  }

  #versionLine(): string {
    const name = this.#product === "fusion" ? "Fusion" : "Workstation";
    return `VMware ${name} Information:\nVMware ${name} ${this.#version()} build-24585314 Release\n`;
  }

  #vmrun([flag, product, command = "", vmx = "", ...rest]: readonly string[]): Outcome {
    if (flag !== "-T" || product !== this.#product) return refused(`Unrecognized command: ${flag} ${product}`);
    const failing = this.behaviour.failing?.[command];
    if (failing !== undefined) return refused(failing);
    const { running } = this.#state;
    if (command === "list") {
      if (vmx !== "") return refused("Unrecognized parameters");
      return ok(`Total running VMs: ${running.length}\n${running.map((one) => `${one.vmx}\n`).join("")}`);
    }
    if (command === "start") return this.#start(vmx, rest);
    const known = running.find((one) => one.vmx === realPathOf(vmx));
    if (known === undefined && !existsSync(vmx))
      return refused(`Cannot open VM: ${vmx}, Cannot read the virtual machine configuration file`);
    if (known === undefined) return refused(`The virtual machine is not powered on: ${vmx}`);
    switch (command) {
      case "stop":
        return this.#stop(known, rest);
      case "checkToolsState":
        return ok(`${this.behaviour.tools ?? "unknown"}\n`);
      case "getGuestIPAddress":
        return this.#guestAddress(known, rest);
      default:
        return refused(`Unrecognized command: ${command}`);
    }
  }

  #start(file: string, rest: readonly string[]): Outcome {
    if (rest.length > 1 || !["gui", "nogui"].includes(rest[0] ?? "gui")) return refused("Unrecognized parameters");
    if (!existsSync(file)) return refused(`Cannot open VM: ${file}, Cannot read the virtual machine configuration file`);
    const vmx = realPathOf(file);
    const { running, seen } = this.#state;
    if (running.some((one) => one.vmx === vmx)) return refused("The file is already in use");
    const description = parseDescription(readFileSync(vmx, "utf8"));
    if (typeof description === "string")
      return refused(`Cannot open VM: ${file}, Cannot read the virtual machine configuration file`);
    const major = this.#version().split(".")[0] ?? "";
    const host = { arch: this.behaviour.arch ?? "x64", hardware: hardware[major] ?? 21 };
    const problem = startProblem(vmx, description, host);
    if (problem !== undefined) return refused(problem);
    const memoryMiB = Number(description.get("memsize"));
    const used = running.reduce((sum, one) => sum + one.memoryMiB, memoryMiB);
    if (used > (this.behaviour.memoryMiB ?? 16_384))
      return refused("There is not enough physical memory to power on this virtual machine");
    const cds = [...description].flatMap(([key, value]) =>
      key.startsWith("sata0:") && key.endsWith(".fileName") ? [value] : [],
    );
    const seed = cds.map((cd) => readSeed(path.resolve(path.dirname(vmx), cd))).find((found) => found !== undefined);
    const one = {
      ...{ vmx, startedMs: this.#now(), memoryMiB },
      mac: (description.get("ethernet0.address") ?? "").replaceAll(":", ""),
      ...(seed === undefined ? {} : { seed }),
    };
    writeFileSync(path.join(path.dirname(vmx), "vmware.log"), "vmx| Log\n", { flag: "a" });
    if (description.has("serial0.fileName"))
      writeFileSync(path.resolve(path.dirname(vmx), description.get("serial0.fileName") ?? ""), "login:\n", { flag: "a" });
    this.#forgetMemory(vmx);
    this.#save({ running: [...running, one], seen: [...new Set([...seen, vmx])] });
    return ok("");
  }

  /** What was saved is there no more once it runs. */
  #forgetMemory(vmx: string): void {
    rmSync(vmx.replace(/\.vmx$/u, ".vmss"), { force: true });
    const text = readFileSync(vmx, "utf8");
    if (text.includes("checkpoint.vmState")) writeFileSync(vmx, text.replace(/^checkpoint\.vmState = .*\n/mu, ""));
  }

  #stop(known: FakeRunning, [how = "soft", ...more]: readonly string[]): Outcome {
    if (more.length > 0 || !["hard", "soft"].includes(how)) return refused("Unrecognized parameters");
    if (how === "soft") {
      if (this.behaviour.hangs === true) return { ...ok(""), status: 255, waitsFor: known.vmx };
      if (this.behaviour.tools !== "running")
        return refused(`The VMware Tools are not running in the virtual machine: ${known.vmx}`);
    }
    this.end(known.vmx);
    return ok("");
  }

  /** With the option it waits for ever; a guest with an engine names the engine's bridge. */
  #guestAddress(known: FakeRunning, rest: readonly string[]): Outcome {
    if (rest.includes("-wait")) return refused("a wait without end");
    const { address = "leases" } = this.behaviour;
    if (address === "tools") return ok(`${addressOf(known)}\n`);
    if (address === "bridge") return ok("172.17.0.1\n");
    return refused("The VMware Tools are not running in the virtual machine");
  }

  #neighbours(args: readonly string[]): string {
    const { address = "leases" } = this.behaviour;
    const { running } = this.#state;
    const shown = address === "arp" ? running : [];
    if (args[0] === "-an")
      return shown
        .map(
          (one) =>
            `? (${addressOf(one)}) at ${(one.mac.match(/../gu) ?? []).map((part) => part.replace(/^0(?=.)/u, "")).join(":")} on vmnet8 ifscope\n`,
        )
        .join("");
    return shown.map((one) => `  ${addressOf(one)}      ${(one.mac.match(/../gu) ?? []).join("-")}     dynamic\r\n`).join("");
  }

  /** Of Workstation on Windows: others' leases, one of ours that has ended, and the one that counts. */
  #writeLeases({ running }: FakeState): void {
    const time = (ms: number): string => {
      const date = new Date(ms);
      return `${date.getUTCDay()} ${date.toISOString().slice(0, 19).replaceAll("-", "/").replace("T", " ")}`;
    };
    const lease = (address: string, mac: string, startMs: number, endMs: number): string =>
      `lease ${address} {\r\n\tstarts ${time(startMs)};\r\n\tends ${time(endMs)};\r\n\thardware ethernet ${(mac.match(/../gu) ?? []).join(":")};\r\n}\r\n`;
    const { address = "leases" } = this.behaviour;
    const all = (address === "leases" ? running : []).flatMap((one) => [
      lease("172.16.9.8", one.mac, one.startedMs - 9_000_000, one.startedMs - 7_200_000),
      lease(addressOf(one), one.mac, one.startedMs, one.startedMs + 1_800_000),
      lease("172.16.9.9", "000c29aabbcc", one.startedMs + 1, one.startedMs + 1_800_000),
    ]);
    writeFileSync(path.join(this.folder, "ProgramData", "VMware", "vmnetdhcp.leases"), `# leases\r\n${all.join("")}`);
  }

  /** `-r SOURCE -t 0 TARGET`, and what refuses it. */
  #convert([option, source = "", kind, type = "", target = "", ...more]: readonly string[]): Outcome {
    const failed = (words: string): Outcome => ({ status: 1, stdout: `Failed to convert disk: ${words} (0x1).\n`, stderr: "" });
    if (option !== "-r" || kind !== "-t" || more.length > 0 || !/^[0-5]$/u.test(type)) return failed("Invalid arguments");
    if (type !== "0") return failed("this stand-in makes growable disks in one file");
    if (!existsSync(source)) return failed("The file specified is not a virtual disk");
    if (existsSync(target)) return failed("The file already exists");
    const capacity = streamCapacity(source);
    if (capacity === undefined) return failed("The file specified is not a virtual disk");
    const failing = this.behaviour.failing?.["-r"];
    if (failing !== undefined) {
      writeFileSync(target, "KDMV in part");
      return failed(failing);
    }
    const head = headOf(source, 4096);
    // Sparse and growable: no compression, no markers.
    head.writeUInt32LE(1, 4);
    head.writeUInt32LE(3, 8);
    try {
      writeFileSync(target, Buffer.concat([head, readFileSync(source).subarray(4096)]));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      return failed("There is not enough space in the file system for the selected operation");
    }
    return ok(`  Convert: 100% done.\nVirtual disk conversion successful.\n`);
  }
}

export const registeredFolder = "/registered/VMware Workstation/";

function registryAnswer([verb, key = "", option, value]: readonly string[]): string {
  if (verb !== "query" || option !== "/v" || value !== "InstallPath") throw new Error("reg was asked something else");
  return `\r\n${key.replace("HKLM", "HKEY_LOCAL_MACHINE")}\r\n    InstallPath    REG_SZ    ${registeredFolder}\r\n\r\n`;
}

/** Another one after each start. */
function addressOf({ mac, startedMs }: FakeRunning): string {
  return `172.16.${Math.floor(startedMs / 1000) % 200}.${(Number.parseInt(mac.slice(-2), 16) % 250) + 2}`;
}

function realPathOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

function ok(stdout: string): Outcome {
  return { status: 0, stdout, stderr: "" };
}

function refused(words: string): Outcome {
  return { status: 255, stdout: `Error: ${words}\n`, stderr: "" };
}
