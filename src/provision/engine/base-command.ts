/**
 * The command line with which systemd starts the engine now, as the base of ours: what its unit and its owner gave it
 * (socket, containerd, data root, variables) is kept word for word, what we set is taken out. 0.16.2 replaced it all.
 */
import { MachineError } from "../../errors/machine-error.ts";
import type { EngineFacts, UnitFile } from "../facts/facts.ts";
import { parseAssignments } from "../facts/os-release.ts";
import { certificateFiles, engineSocket } from "./engine-settings.ts";
import { portOf } from "./daemon-json.ts";
import { dropInFolder, dropInNames, isOwnDropIn } from "../shell/own-files.ts";
import { effectiveExecStart, plainWord, rawWords } from "./systemd-unit.ts";

export interface BaseCommand {
  /** As written in the unit, program first. */
  readonly words: readonly string[];
  /** It already opens the engine's local socket. */
  readonly hasLocalSocket: boolean;
  readonly dropInPath: string;
  /** An older drop-in of ours under the other name, to be removed. */
  readonly staleDropIn?: string | undefined;
}

/** The base for a unit that is there. `port` is ours, undefined where we open none; `certificateFolder` where our certificates lie. */
export function baseCommand(
  engine: EngineFacts,
  port: number | undefined,
  certificateFolder: string,
  label: string,
): BaseCommand {
  const foreign = engine.unitFiles.filter((file) => !isOwnDropIn(file.path));
  const start = effectiveExecStart(foreign);
  const words = start?.words ?? programWords(engine);
  refuseConflicts(expandVariables(words, engine.settingsFiles), { port, certificateFolder, label, path: start?.path ?? "" });
  const kept = withoutOwnFlags(words, port);
  const name = dropInNames[sortsAfterOurs(start?.path) ? 1 : 0];
  const stale = engine.unitFiles.find((file) => isOwnDropIn(file.path) && !file.path.endsWith(name));
  return { words: kept, hasLocalSocket: hasLocalSocket(kept), dropInPath: `${dropInFolder}/${name}`, staleDropIn: stale?.path };
}

function programWords(engine: EngineFacts): readonly string[] {
  if (engine.dockerdPath === undefined && isOldEngine(engine.version, engine.dockerPath))
    return [engine.dockerPath ?? "docker", "daemon"];
  return [engine.dockerdPath ?? "/usr/bin/dockerd"];
}

/** Before 1.12 the engine was the client: `docker daemon`. */
export function isOldEngine(version: string | undefined, dockerPath: string | undefined): boolean {
  const [major = 0, minor = 0] = (version ?? "").split(".").map(Number);
  return dockerPath !== undefined && version !== undefined && (major < 1 || (major === 1 && minor < 12));
}

/** systemd reads drop-ins in the order of their file names, whatever their folders. */
function sortsAfterOurs(path: string | undefined): boolean {
  const match = /\.d\/([^/]+)$/u.exec(path ?? "");
  return match !== null && (match[1] ?? "") > dropInNames[0];
}

interface Flag {
  readonly name: string;
  readonly value: string | undefined;
  /** Places of its words. */
  readonly from: number;
  readonly to: number;
}

const valueFlags: ReadonlySet<string> = new Set(["-H", "--host", "--tlscacert", "--tlscert", "--tlskey", "--config-file"]);

function flagsIn(words: readonly string[]): readonly Flag[] {
  const flags: Flag[] = [];
  for (let index = 1; index < words.length; index++) {
    const word = plainWord(words[index] ?? "");
    const [name = "", ...rest] = word.split("=");
    const short = /^-H(.+)$/u.exec(word)?.[1];
    if (short !== undefined) flags.push({ name: "-H", value: short.replace(/^=/u, ""), from: index, to: index });
    else if (valueFlags.has(name) && rest.length === 0) {
      flags.push({ name, value: plainWord(words[index + 1] ?? ""), from: index, to: index + 1 });
      index++;
    } else if (name.startsWith("-"))
      flags.push({ name, value: rest.length > 0 ? rest.join("=") : undefined, from: index, to: index });
  }
  return flags;
}

function isHost(flag: Flag): boolean {
  return flag.name === "-H" || flag.name === "--host";
}

function hasLocalSocket(words: readonly string[]): boolean {
  return flagsIn(words).some((flag) => isHost(flag) && /^(fd|unix):/u.test(flag.value ?? ""));
}

const tlsFlags: ReadonlySet<string> = new Set(["--tls", "--tlsverify", "--tlscacert", "--tlscert", "--tlskey"]);

/** Our own flags, left there by a hand or an older tool, would only stand there twice. */
function withoutOwnFlags(words: readonly string[], port: number | undefined): readonly string[] {
  if (port === undefined) return words;
  const dropped = new Set<number>();
  for (const flag of flagsIn(words)) {
    if (!tlsFlags.has(flag.name) && !(isHost(flag) && portOf(flag.value ?? "") === String(port))) continue;
    for (let index = flag.from; index <= flag.to; index++) dropped.add(index);
  }
  return words.filter((_, index) => !dropped.has(index));
}

/** `$NAME` and `${NAME}` as whole words, from the files that the unit reads; others stay. */
function expandVariables(words: readonly string[], files: readonly UnitFile[]): readonly string[] {
  const values = new Map(files.flatMap((file) => [...parseAssignments(file.text.split("\n"))]));
  return words.flatMap((word) => {
    const name = /^\$\{?(\w+)\}?$/u.exec(word)?.[1];
    return name === undefined ? [word] : rawWords(values.get(name) ?? "");
  });
}

interface Ours {
  readonly port: number | undefined;
  readonly certificateFolder: string;
  readonly label: string;
  readonly path: string;
}

function refuseConflicts(words: readonly string[], ours: Ours): void {
  const expected: Readonly<Record<string, string>> = {
    "--tlscacert": `${ours.certificateFolder}/${certificateFiles.ca}`,
    "--tlscert": `${ours.certificateFolder}/${certificateFiles.certificate}`,
    "--tlskey": `${ours.certificateFolder}/${certificateFiles.key}`,
  };
  for (const flag of flagsIn(words)) {
    const otherPort = isHost(flag) && portOf(flag.value ?? "") !== undefined && portOf(flag.value ?? "") !== String(ours.port);
    const otherFile = expected[flag.name] !== undefined && flag.value !== expected[flag.name];
    // An engine that we open no port of may have its owner's ports and certificates.
    const otherAccess = ours.port !== undefined && (otherPort || otherFile);
    const otherConfig = flag.name === "--config-file" && flag.value !== "/etc/docker/daemon.json";
    if (otherAccess || otherConfig) throw conflict(flag, ours);
  }
}

function conflict(flag: Flag, ours: Ours): MachineError {
  return new MachineError(
    "engine-config-conflict",
    `The engine of ${ours.label} is started with "${flag.name} ${flag.value ?? ""}" (${ours.path}), which contradicts what docker-machine needs`,
    { hint: `Take that flag out on the machine, then run "docker-machine provision ${ours.label}".` },
  );
}

/** The base without any `-H`: for when daemon.json lists the hosts. */
export function withoutHosts(words: readonly string[]): readonly string[] {
  const dropped = new Set(
    flagsIn(words)
      .filter(isHost)
      .flatMap((flag) => [flag.from, flag.to]),
  );
  return words.filter((_, index) => !dropped.has(index));
}

/** Hosts that we add to a command line: the local socket only where the base opens none. */
export function hostsFor(base: BaseCommand, listen: string | undefined): readonly string[] {
  const ports = listen === undefined ? [] : [listen];
  return base.hasLocalSocket ? ports : [...ports, engineSocket];
}
