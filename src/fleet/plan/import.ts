/**
 * How a machine that exists would stand in a fleet's file: read back from its record, by the flags whose fields a driver
 * has. What is printed is proved: read again, it speaks against nothing that is recorded.
 */
import { defaultValue, type FlagValue } from "../../driver-kit/create-flag.ts";
import { isSecretName } from "../../log/secret-names.ts";
import { secretsOfAssignment } from "../../log/assignment-secrets.ts";
import { openHost } from "../../machine/host/open-host.ts";
import { deadlineText, spanText } from "../../machine/lifetime/deadline.ts";
import { deadlineOf, isExpired } from "../../machine/lifetime/recorded-lifetime.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import { isNamedLike, mayBeMarked } from "../../machine/secrets/conceal.ts";
import { Vault } from "../../machine/secrets/vault.ts";
import { driverNameOf, type HostRecord } from "../../store/host-record.ts";
import { labelsOf, type Labels } from "../../store/record-labels.ts";
import { flagsNotInFiles, type FileFlag, type FlagSource } from "../file/flag-source.ts";
import type { MachineSpec } from "../file/fleet-file.ts";
import { findObjections } from "./adoption.ts";
import { isSame } from "./differences.ts";

export interface ImportedMachine {
  readonly name: string;
  readonly driverName: string;
  readonly flags: Readonly<Record<string, FlagValue>>;
  readonly labels: Labels;
  readonly isProtected: boolean;
  /** Flags whose values are secrets that are kept here: the file has to say where they are. */
  readonly secrets: readonly string[];
  /** What the record says otherwise than these flags; nothing where it is to be had again by them. */
  readonly objections: readonly string[];
}

/** As a record has them, defaults among them. */
type RecordedFlags = Readonly<Record<string, FlagValue | null | undefined>>;

/** Throws `machine-not-found`, and what opening the machine throws. */
export async function importMachine(context: MachineContext, name: string, source: FlagSource): Promise<ImportedMachine> {
  await using host = await openHost(context, name);
  const { record } = host;
  const driverName = driverNameOf(record);
  const flags = (await source.flagsOf(driverName)).filter((flag) => !flagsNotInFiles.has(flag.name));
  const config = JSON.parse(await host.driver.configText()) as Record<string, unknown>;
  const { references, hidden: ofDriver } = await secretsOf(context, name, flags, config);
  const { open, hidden: ofEngine } = environmentOf(record);
  const shared = withoutDefaults(flags, { ...engineFlags(record), ...swarmFlags(record), ...lifetimeFlags(record, context) });
  const given = { ...driverFlags(flags, config), ...shared, ...(open.length > 0 ? { "engine-env": open } : {}), ...references };
  const hidden = [...ofDriver, ...ofEngine];
  const labels = labelsOf(record);
  const spec: MachineSpec = {
    name,
    place: "",
    driverName,
    flags: given,
    places: new Map(),
    labels,
    protect: undefined,
  };
  const objections = hidden.length > 0 ? [] : await findObjections(context, spec, source);
  return {
    name,
    driverName,
    flags: given,
    labels,
    isProtected: record.extra.Protected === true,
    secrets: hidden,
    objections,
  };
}

/** By the field that is named like the flag; those that have their defaults are left out. */
function driverFlags(flags: readonly FileFlag[], config: Readonly<Record<string, unknown>>): Record<string, FlagValue> {
  const found = flags.flatMap((flag) => {
    if (isSharedFlag(flag) || isSecret(flag)) return [];
    const value = fieldOf(flag, config);
    return isOfKind(flag, value) && !isDefault(flag, value) ? [[flag.name, value] as const] : [];
  });
  return Object.fromEntries(found);
}

/** The shared flags are about the engine, its certificates and the machine's time: they have no fields of a driver. */
function isSharedFlag({ name }: FileFlag): boolean {
  return /^(?:engine|swarm|tls|ttl|idle|ssh-host-key)/u.test(name);
}

function isSecret(flag: FileFlag): boolean {
  return flag.secret ?? isSecretName(flag.name);
}

function fieldOf({ name }: FileFlag, config: Readonly<Record<string, unknown>>): unknown {
  const fields = Object.keys(config).filter((field) => isNamedLike(name, field));
  const longest = fields.toSorted((left, right) => right.length - left.length)[0];
  return longest === undefined ? undefined : config[longest];
}

function isOfKind(flag: FileFlag, value: unknown): value is FlagValue {
  switch (flag.kind) {
    case "string":
      return typeof value === "string" && !mayBeMarked(value);
    case "int":
      return Number.isSafeInteger(value);
    case "bool":
      return typeof value === "boolean";
    case "strings":
      return Array.isArray(value) && value.every((item) => typeof item === "string");
  }
}

function isDefault(flag: FileFlag, value: FlagValue): boolean {
  return isSame(defaultValue(flag), value);
}

function engineFlags({ hostOptions, extra }: HostRecord): RecordedFlags {
  const { EngineOptions: engine, AuthOptions: auth } = hostOptions;
  return {
    "engine-version": extra.EngineVersion,
    "engine-source": extra.EngineSource,
    "engine-opt": engine.ArbitraryFlags,
    "engine-label": engine.Labels,
    "engine-insecure-registry": engine.InsecureRegistry,
    "engine-registry-mirror": engine.RegistryMirror,
    "engine-storage-driver": engine.StorageDriver,
    "engine-package-mirror": extra.EnginePackageMirror,
    "engine-package-key": extra.EnginePackageKeys,
    "engine-install-url": engine.InstallURL,
    "engine-firewall": extra.EngineFirewall,
    "engine-allow-removal": extra.EngineAllowRemoval,
    "engine-share-ca": extra.EngineShareCa,
    "engine-transport": extra.EngineTransport,
    "tls-san": auth.ServerCertSANs,
    "tls-key-type": extra.TlsKeyType,
    "ssh-host-key": extra.SshHostKey,
  };
}

/** Of classic swarm. */
function swarmFlags({ hostOptions: { SwarmOptions: swarm } }: HostRecord): RecordedFlags {
  if (!swarm.IsSwarm) return {};
  return {
    swarm: swarm.Agent,
    "swarm-master": swarm.Master,
    "swarm-addr": swarm.Address,
    "swarm-discovery": swarm.Discovery,
    "swarm-experimental": swarm.IsExperimental,
    "swarm-host": swarm.Host,
    "swarm-image": swarm.Image,
    "swarm-strategy": swarm.Strategy,
    "swarm-opt": swarm.ArbitraryFlags,
    "swarm-join-opt": swarm.ArbitraryJoinFlags,
  };
}

/** When it ends, as an instant; one that has passed would keep the machine from being made anew. */
function lifetimeFlags({ extra }: HostRecord, { clock }: Pick<MachineContext, "clock">): RecordedFlags {
  const deadline = deadlineOf(extra);
  const isOver = deadline === undefined || isExpired(extra, clock.now());
  return {
    ttl: isOver ? undefined : deadlineText(deadline),
    idle: extra.IdleSeconds === undefined ? undefined : spanText(extra.IdleSeconds),
    "ttl-power-off": extra.TtlPowerOff,
  };
}

/** Assignments whose secrets are kept here are told by their names. */
function environmentOf({ hostOptions }: HostRecord): { open: string[]; hidden: string[] } {
  const all = hostOptions.EngineOptions.Env ?? [];
  const isHidden = (assignment: string): boolean => mayBeMarked(assignment) || secretsOfAssignment(assignment).length > 0;
  const hidden = all.filter(isHidden).map((assignment) => `engine.env ${assignment.split("=")[0]}`);
  return { open: all.filter((assignment) => !isHidden(assignment)), hidden };
}

/** What `create` would be given without a word is left out. */
function withoutDefaults(flags: readonly FileFlag[], recorded: RecordedFlags): Record<string, FlagValue> {
  const known = new Map(flags.map((flag) => [flag.name, flag]));
  const given = Object.entries(recorded).flatMap(([name, value]) => {
    const flag = known.get(name);
    if (value === undefined || value === null || flag === undefined || isDefault(flag, value)) return [];
    return [[name, value] as const];
  });
  return Object.fromEntries(given);
}

/** References as they are kept; of what is kept as a value, the flag alone. */
async function secretsOf(
  context: MachineContext,
  name: string,
  flags: readonly FileFlag[],
  config: Readonly<Record<string, unknown>>,
): Promise<{ references: Record<string, string>; hidden: string[] }> {
  const vault = await Vault.load(context, context.store.machineDir(name));
  const references: Record<string, string> = {};
  const hidden: string[] = [];
  for (const flag of flags.filter((each) => isSecret(each) && !isSharedFlag(each))) {
    const reference = vault.referenceOf(flag.name);
    if (reference !== undefined) references[flag.name] = reference;
    else if (vault.names.includes(flag.name) || (fieldOf(flag, config) ?? "") !== "") hidden.push(flag.name);
  }
  return { references, hidden };
}
