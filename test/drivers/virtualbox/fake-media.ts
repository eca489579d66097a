/** The stand-in's commands on disks and CDs, whose files are real: `convertfromraw`, `storagectl`, `storageattach`, `closemedium`, … */
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { parseArguments } from "./fake-arguments.ts";
import { requireUnlocked } from "./fake-machines.ts";
import { accessibleVm, coded, inRoot, Refusal, type FakeMedium, type FakeOptions, type FakeState } from "./fake-state.ts";

/** A CD of up to 32 KiB is none to VirtualBox. */
const smallestCd = 32 * 1024;
const mib = 1024 * 1024;

/** @param content what came on standard input, or is in the file that was named */
export function convertFromRaw(state: FakeState, options: FakeOptions, args: readonly string[], content: Uint8Array): string {
  const { words, values } = parseArguments(args, { "--format": 1, "--uuid": 1, "--variant": 1 });
  const [source = "", file = "", size] = words;
  if (source === "stdin" && size === undefined) throw new Refusal(["Syntax error"], 2);
  const bytes = source === "stdin" ? content : readFileSync(inRoot(options, source));
  const sizeBytes = size === undefined ? bytes.length : Number(size);
  const told =
    `Converting from raw image file="${source}" to file="${file}"...\n` +
    `Creating dynamic image with size ${sizeBytes} bytes (${Math.floor(sizeBytes / mib)}MB)...\n`;
  const format = values.get("--format") ?? "VDI";
  if (existsSync(inRoot(options, file)))
    throw new Told(told, [
      `${format}: cannot create image '${file}'`,
      "Error code VERR_ALREADY_EXISTS at VDI.cpp",
      `Cannot create the disk image "${file}": VERR_ALREADY_EXISTS`,
    ]);
  if (options.fullDiskAt.includes("convertfromraw"))
    throw new Told(told, [`Failed to write to disk image "${file}": VERR_DISK_FULL`]);
  if (options.os === "windows" && source === "stdin" && bytes.length < sizeBytes)
    throw new Told(told, [`Cannot read from file "stdin": VERR_EOF`]);
  // What VirtualBox packs is kept as it came, so that tests can look at it.
  writeFileSync(inRoot(options, file), bytes, { mode: 0o600 });
  state.headers[file] = { uuid: values.get("--uuid") ?? randomUUID(), sizeMiB: Math.ceil(sizeBytes / mib) };
  return told;
}

/** Failed after some words that are no error. */
export class Told extends Refusal {
  readonly told: string;

  constructor(told: string, lines: readonly string[]) {
    super(lines);
    this.told = told;
  }
}

export function modifyMedium(state: FakeState, options: FakeOptions, args: readonly string[]): void {
  const { words, values } = parseArguments(args, { "--resize": 1 });
  const file = words[1] ?? "";
  const header = requireDisk(state, options, file);
  header.sizeMiB = Number(values.get("--resize"));
}

export function cloneMedium(state: FakeState, options: FakeOptions, args: readonly string[]): string {
  const { words, values } = parseArguments(args, { "--format": 1 });
  const [, source = "", target = ""] = words;
  const { sizeMiB } = requireDisk(state, options, source);
  if (existsSync(inRoot(options, target)))
    throw coded(
      `Cannot create medium storage unit '${target}' (VERR_ALREADY_EXISTS)`,
      "VBOX_E_FILE_ERROR",
      "MediumWrap",
      "IMedium",
    );
  writeFileSync(inRoot(options, target), readFileSync(inRoot(options, source)), { mode: 0o600 });
  const uuid = randomUUID();
  state.headers[target] = { uuid, sizeMiB };
  state.media.push({ uuid, file: target, kind: "hdd", sizeMiB });
  return `Clone medium created in format '${values.get("--format") ?? "VDI"}'. UUID: ${uuid}\n`;
}

function requireDisk(state: FakeState, options: FakeOptions, file: string): { uuid: string; sizeMiB: number } {
  const header = state.headers[file];
  if (header === undefined || !existsSync(inRoot(options, file))) throw missing(file);
  return header;
}

function missing(file: string): Refusal {
  return coded(
    `Could not find file for the medium '${file}' (VERR_FILE_NOT_FOUND)`,
    "VBOX_E_FILE_ERROR",
    "MediumWrap",
    "IMedium",
  );
}

/** All that VirtualBox knows now, also by the settings of machines. */
export function allMedia(state: FakeState): readonly FakeMedium[] {
  const attached = state.vms.flatMap((vm) =>
    vm.controllers.flatMap(({ ports }) =>
      ports.map(({ medium, uuid, kind }) => ({ uuid, file: medium, kind, sizeMiB: state.headers[medium]?.sizeMiB ?? 0 })),
    ),
  );
  return [...new Map([...state.media, ...attached].map((medium) => [medium.file, medium])).values()];
}

export function closeMedium(state: FakeState, options: FakeOptions, args: readonly string[]): void {
  const { words, values } = parseArguments(args, { "--delete": 0 });
  const file = words[1] ?? "";
  if (!existsSync(inRoot(options, file))) throw missing(file);
  if (state.vms.some((vm) => vm.controllers.some(({ ports }) => ports.some(({ medium }) => medium === file)))) {
    const words = `Cannot close medium '${file}' because it is still attached to 1 virtual machines`;
    throw coded(words, "VBOX_E_OBJECT_IN_USE", "MediumWrap", "IMedium");
  }
  state.media = state.media.filter((medium) => medium.file !== file);
  if (values.has("--delete")) rmSync(inRoot(options, file));
}

export function addController(state: FakeState, options: FakeOptions, args: readonly string[], nowMs: number): void {
  const { words, values } = parseArguments(args, {
    ...{ "--name": 1, "--add": 1, "--controller": 1, "--portcount": 1, "--hostiocache": 1, "--bootable": 1 },
  });
  const vm = accessibleVm(state, options, words[0] ?? "");
  requireUnlocked(vm, nowMs);
  const name = values.get("--name") ?? "";
  if (vm.controllers.some((controller) => controller.name === name))
    throw coded(`Storage controller named '${name}' already exists`, "VBOX_E_OBJECT_IN_USE", "SessionMachine", "IMachine");
  vm.controllers.push({
    name,
    portCount: Number(values.get("--portcount") ?? (values.get("--add") === "sata" ? 30 : 1)),
    ports: [],
  });
}

export function attachMedium(state: FakeState, options: FakeOptions, args: readonly string[], nowMs: number): void {
  const { words, values } = parseArguments(args, {
    ...{ "--storagectl": 1, "--port": 1, "--device": 1, "--type": 1, "--medium": 1, "--nonrotational": 1, "--discard": 1 },
  });
  const vm = accessibleVm(state, options, words[0] ?? "");
  requireUnlocked(vm, nowMs);
  const name = values.get("--storagectl") ?? "";
  const controller = vm.controllers.find((one) => one.name === name);
  if (controller === undefined) throw new Refusal([`Could not find a controller named '${name}'`]);
  const port = Number(values.get("--port"));
  const medium = values.get("--medium") ?? "";
  const rest = controller.ports.filter((one) => one.port !== port);
  if (medium === "none" || medium === "emptydrive") {
    controller.ports = rest;
    return;
  }
  const kind = values.get("--type") === "dvddrive" ? "dvddrive" : "hdd";
  const uuid = registered(state, options, medium, kind);
  const isOn = (option: string): boolean => values.get(option) === "on";
  const added = { port, kind, medium, uuid, nonrotational: isOn("--nonrotational"), discard: isOn("--discard") } as const;
  // 7.2.22 gives a controller the ports that are attached to, up to its limit.
  controller.portCount = Math.max(controller.portCount, port + 1);
  controller.ports = [...rest, added].toSorted((a, b) => a.port - b.port);
}

/** The id of a medium that may be attached. */
function registered(state: FakeState, options: FakeOptions, file: string, kind: FakeMedium["kind"]): string {
  if (!existsSync(inRoot(options, file))) throw missing(file);
  const known = allMedia(state).find((medium) => medium.file === file);
  if (kind === "dvddrive") {
    if (statSync(inRoot(options, file)).size <= smallestCd)
      throw coded(
        `Could not get the storage format of the medium '${file}' (VERR_NOT_SUPPORTED)`,
        "VBOX_E_IPRT_ERROR",
        "MediumWrap",
        "IMedium",
      );
    return known?.uuid ?? randomUUID();
  }
  const uuid = state.headers[file]?.uuid ?? randomUUID();
  const twin = allMedia(state).find((medium) => medium.uuid === uuid && medium.file !== file);
  if (twin !== undefined)
    throw coded(
      `Cannot register the hard disk '${file}' {${uuid}} because a hard disk '${twin.file}' with UUID {${uuid}} already exists`,
      "NS_ERROR_INVALID_ARG",
      "VirtualBoxWrap",
      "IVirtualBox",
    );
  return uuid;
}
