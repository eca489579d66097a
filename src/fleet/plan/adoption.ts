/**
 * Whether a machine that no fleet made is as the file says: then the next apply marks it, and changes nothing. A driver is
 * configured with what the file gives, and its configuration held against the recorded one.
 */
import { isMachineError, messageOf } from "../../errors/machine-error.ts";
import type { FlagValue } from "../../driver-kit/create-flag.ts";
import { Redactor } from "../../log/redact.ts";
import { isReference } from "../../driver-kit/written-flag.ts";
import { newHost, openHost } from "../../machine/host/open-host.ts";
import { newRecord } from "../../machine/host/new-record.ts";
import type { Host } from "../../machine/host/host.ts";
import { isInstant } from "../../machine/lifetime/deadline.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import { changeableFlags } from "../../machine/reconfigure.ts";
import { isNamedLike, mayBeMarked } from "../../machine/secrets/conceal.ts";
import { driverNameOf, type HostRecord } from "../../store/host-record.ts";
import type { FlagSource } from "../file/flag-source.ts";
import type { MachineSpec } from "../file/fleet-file.ts";
import { unfetchedOptions } from "../file/resolved-options.ts";
import { shown } from "./differences.ts";

/** Clauses; none where nothing speaks against it. Secrets are not compared: what they are, the driver alone knows. */
export async function findObjections(context: MachineContext, spec: MachineSpec, source: FlagSource): Promise<string[]> {
  await using recorded = await openHost(context, spec.name);
  const { record } = recorded;
  const driverName = driverNameOf(record);
  if (driverName !== spec.driverName) return [`its driver is ${driverName}, not ${spec.driverName}`];
  const options = await unfetchedOptions(spec, source);
  // What stands for a secret is none.
  const looking = { ...context, redactor: new Redactor() };
  let fresh: HostRecord;
  try {
    fresh = newRecord(looking, spec.name, spec.driverName, options);
  } catch (error) {
    if (!isMachineError(error)) throw error;
    return [messageOf(error)];
  }
  const engine = [
    ...Object.keys(spec.flags).flatMap((flag) => engineObjection(flag, spec.flags[flag], record, fresh)),
    ...lifetimeObjections(spec.flags, record, fresh),
  ];
  await using wanted = newHost(looking, fresh, recorded.module);
  try {
    await wanted.configure(options);
  } catch (error) {
    if (!isMachineError(error)) throw error;
    return [...engine, messageOf(error)];
  }
  return [...engine, ...(await driverObjections(spec, recorded, wanted))];
}

/** Taken over or not, the record is the same. */
function engineObjection(flag: string, value: FlagValue | undefined, record: HostRecord, fresh: HostRecord): string[] {
  const changeable = changeableFlags[flag];
  if (changeable === undefined) return [];
  if (flag === "engine-env") return environmentObjection(record, fresh);
  const changed = structuredClone(record);
  changeable.take(changed, fresh);
  return JSON.stringify(changed) === JSON.stringify(record) ? [] : [`${flag} is not ${shown(value)}`];
}

/** What is concealed is there, and that is all that is known of it. */
function environmentObjection({ hostOptions: recorded }: HostRecord, { hostOptions: wanted }: HostRecord): string[] {
  const known = (env: readonly string[] | null): Map<string, string> =>
    new Map((env ?? []).map((assignment) => [assignment.split("=")[0] ?? "", assignment]));
  const [is, shouldBe] = [known(recorded.EngineOptions.Env), known(wanted.EngineOptions.Env)];
  const names = [...new Set([...is.keys(), ...shouldBe.keys()])];
  const differing = names.filter((name) => {
    const [found, expected] = [is.get(name), shouldBe.get(name)];
    if (found === undefined || expected === undefined) return true;
    return found !== expected && !mayBeMarked(found) && !isReference(expected.slice(name.length + 1));
  });
  return differing.length === 0 ? [] : [`engine-env is otherwise in ${differing.join(", ")}`];
}

/** A deadline that counts from now on says that there is one; an instant, which one. */
function lifetimeObjections(
  { ttl, idle }: MachineSpec["flags"],
  { extra: recorded }: HostRecord,
  { extra: wanted }: HostRecord,
): string[] {
  const otherDeadline =
    typeof ttl === "string" && isInstant(ttl) ? recorded.Expires !== wanted.Expires : recorded.Expires === undefined;
  return [
    ...(ttl !== undefined && otherDeadline ? [`ttl is not ${shown(ttl)}`] : []),
    ...(idle !== undefined && recorded.IdleSeconds !== wanted.IdleSeconds ? [`idle is not ${shown(idle)}`] : []),
  ];
}

async function driverObjections(spec: MachineSpec, recorded: Host, wanted: Host): Promise<string[]> {
  const [is, shouldBe] = [await configOf(recorded), await configOf(wanted)];
  return Object.keys(spec.flags).flatMap((flag) => {
    const field = Object.keys(shouldBe).find((name) => isNamedLike(flag, name));
    if (field === undefined || isMarked(is[field]) || isMarked(shouldBe[field])) return [];
    const [found, expected] = [JSON.stringify(is[field]), JSON.stringify(shouldBe[field])];
    return found === expected ? [] : [`${flag} is ${found}, not ${expected}`];
  });
}

async function configOf({ driver }: Host): Promise<Readonly<Record<string, unknown>>> {
  return JSON.parse(await driver.configText()) as Record<string, unknown>;
}

/** A secret, or what may be one. */
function isMarked(value: unknown): boolean {
  return typeof value === "string" && mayBeMarked(value);
}
