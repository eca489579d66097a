/**
 * Which words can stand at the cursor: commands, flags, values of flags and arguments, out of the command table. Knows
 * the command line only; the names of machines and drivers come from {@link CompletionSources}.
 */
import { machineStates } from "../../driver-kit/state.ts";
import { lastWord, type Command } from "../command.ts";
import { dashed, namesOf, type CliFlag } from "../flags/flag.ts";
import { argumentKinds, type ArgumentKind } from "./arguments.ts";
import { readTypedWords, splitFlag, type Grammar, type TypedWords } from "./typed-words.ts";

export interface CompletionSources extends Grammar {
  /** @param storagePath as typed on the command line, if it was */
  machineNames(storagePath: string | undefined): Promise<readonly string[]>;
  /** Of whom there are machines. @param storagePath as typed on the command line, if it was */
  fleetNames(storagePath: string | undefined): Promise<readonly string[]>;
  driverNames(): Promise<readonly string[]>;
}

export interface Candidate {
  /** The whole word. */
  readonly word: string;
  readonly description?: string | undefined;
}

export interface Completion {
  readonly candidates: readonly Candidate[];
  /** The word goes on after the candidate: no space is to follow. */
  readonly goesOn: boolean;
  /** What the shell adds from the file system. */
  readonly paths: "none" | "files" | "folders";
}

/** Shells that `completion` prints a script for. */
export const completionShells = ["bash", "zsh", "fish", "powershell"] as const;

/** Those that load completions from a folder by themselves. */
const installableShells = completionShells.filter((shell) => shell !== "powershell");

const envShells = ["bash", "cmd", "emacs", "fish", "powershell", "tcsh", "zsh"];
const filterKeys = ["driver", "label", "name", "state", "swarm"];
const states = machineStates.filter((state) => state !== "").toSorted();
/** Of `apply` and `plan`. */
const machineFlags = /^(?:replace|import)$/u;
const folderFlags = /^storage-path$/u;
const fileFlags =
  /(?:^|-)(?:cert|key|keypath|ca-cert|cacert|ca|path|file|identity|userdata|custom-data|cloudinit)$|^(?:save|plan|with)$/u;

const nothing: Completion = { candidates: [], goesOn: false, paths: "none" };

/** @param words those behind the program's name; the last is the one under the cursor, and may be empty */
export async function complete(words: readonly string[], sources: CompletionSources): Promise<Completion> {
  const current = words.at(-1) ?? "";
  const typed = await readTypedWords(words.slice(0, -1), sources);
  const completion = await completeWord(current, typed, sources);
  return { ...completion, candidates: completion.candidates.filter(({ word }) => word.startsWith(current)) };
}

async function completeWord(current: string, typed: TypedWords, sources: CompletionSources): Promise<Completion> {
  if (typed.awaiting !== undefined) return await completeValue(typed.awaiting, current, typed, sources);
  if (typed.flags.length > 0 && current.startsWith("-")) return await completeFlag(current, typed, sources);
  const commands = typed.commands.flatMap(commandCandidate);
  if (typed.command === undefined || (typed.command.subcommands !== undefined && typed.command.load === undefined))
    return wordsOnly(commands);
  const completion = await completeArgument(argumentKinds[typed.command.name] ?? "none", typed, sources);
  return typed.args.length === 0 ? { ...completion, candidates: [...completion.candidates, ...commands] } : completion;
}

function wordsOnly(candidates: readonly Candidate[]): Completion {
  return { ...nothing, candidates };
}

function plain(words: readonly string[]): Completion {
  return wordsOnly(words.map((word) => ({ word })));
}

function commandCandidate({ name, summary, hidden }: Command): Candidate[] {
  return hidden === true ? [] : [{ word: lastWord(name), description: summary }];
}

async function completeFlag(current: string, typed: TypedWords, sources: CompletionSources): Promise<Completion> {
  const { name, value } = splitFlag(current);
  if (value === undefined) return wordsOnly(typed.flags.flatMap(flagCandidates));
  const flag = typed.flags.find((candidate) => namesOf(candidate).includes(name));
  if (flag === undefined) return nothing;
  const completion = await completeValue(flag, value, typed, sources);
  const prefix = current.slice(0, current.length - value.length);
  return {
    ...completion,
    candidates: completion.candidates.map((candidate) => ({ ...candidate, word: prefix + candidate.word })),
  };
}

function flagCandidates(flag: CliFlag): Candidate[] {
  if (flag.hidden === true) return [];
  return namesOf(flag).map((name) => ({ word: dashed(name), description: flag.usage }));
}

async function completeValue(flag: CliFlag, value: string, typed: TypedWords, sources: CompletionSources): Promise<Completion> {
  if (flag.choices !== undefined) return plain(flag.choices);
  if (flag.name === "driver") return plain(await sources.driverNames());
  if (machineFlags.test(flag.name)) return plain(await sources.machineNames(typed.storagePath));
  if (flag.name === "fleet") return plain(await sources.fleetNames(typed.storagePath));
  if (flag.name === "filter") return await completeFilter(value, typed, sources);
  if (flag.name === "shell") return plain(envShells);
  if (flag.kind !== "string") return nothing;
  return { ...nothing, paths: folderFlags.test(flag.name) ? "folders" : fileFlags.test(flag.name) ? "files" : "none" };
}

/** `ls --filter KEY=VALUE`. */
async function completeFilter(value: string, typed: TypedWords, sources: CompletionSources): Promise<Completion> {
  const [, key] = /^([a-z]+)=/iu.exec(value) ?? [];
  if (key === undefined) return { ...plain(filterKeys.map((name) => `${name}=`)), goesOn: true };
  const values = await filterValues(key.toLowerCase(), typed, sources);
  return plain(values.map((name) => `${key}=${name}`));
}

async function filterValues(key: string, typed: TypedWords, sources: CompletionSources): Promise<readonly string[]> {
  if (key === "driver") return await sources.driverNames();
  if (key === "state") return states;
  return key === "name" || key === "swarm" ? await sources.machineNames(typed.storagePath) : [];
}

async function completeArgument(kind: ArgumentKind, typed: TypedWords, sources: CompletionSources): Promise<Completion> {
  const isFirst = typed.args.length === 0;
  switch (kind) {
    case "none":
      return nothing;
    case "with":
      return isFirst ? plain(await sources.machineNames(typed.storagePath)) : { ...nothing, paths: "files" };
    case "machine":
      return isFirst ? plain(await sources.machineNames(typed.storagePath)) : nothing;
    case "machines":
      return plain((await sources.machineNames(typed.storagePath)).filter((name) => !typed.args.includes(name)));
    case "machine-path":
      return { ...(await remotePlaces(typed, sources)), paths: "files" };
    case "mount":
      return isFirst ? await remotePlaces(typed, sources) : { ...nothing, paths: "folders" };
    case "file":
      return isFirst ? { ...nothing, paths: "files" } : nothing;
    case "driver":
      return isFirst ? plain(await sources.driverNames()) : nothing;
    case "command":
      return isFirst ? wordsOnly(sources.commands.flatMap(commandCandidate)) : nothing;
    case "shell":
      return isFirst ? plain(completionShells) : nothing;
    case "shells":
      return plain(installableShells);
  }
}

/** Machines with the colon that a path on them begins with. */
async function remotePlaces(typed: TypedWords, sources: CompletionSources): Promise<Completion> {
  const names = await sources.machineNames(typed.storagePath);
  return { ...plain(names.map((name) => `${name}:`)), goesOn: true };
}
