/** `rollout`: how many engines are changed at a time, and what must be so before it goes on. */
import type { HealthGate } from "../../machine/rollout/engine-gate.ts";
import type { RolloutSpec } from "../../machine/rollout/upgrade-to.ts";
import type { Written, WrittenEntry } from "../../system/yaml-text.ts";
import { invalid, knownEntries } from "./complaint.ts";
import { defaultRollout } from "./fleet-file.ts";
import { choice, text, time, wholeNumber } from "./scalars.ts";

const keys = ["max-unavailable", "max-fail", "first", "pause", "healthy"];
const healthKeys = ["containers", "command", "within"];

export function readRollout(written: Written): RolloutSpec {
  const entries = knownEntries(written, "rollout", keys);
  const of = <Value>(key: string, read: (written: Written, what: string) => Value, otherwise: Value): Value =>
    valueOf(entries, key, read, otherwise);
  return {
    maxUnavailable: of("max-unavailable", share, defaultRollout.maxUnavailable),
    maxFail: of("max-fail", (value, what) => wholeNumber(value, what, 0), defaultRollout.maxFail),
    first: of("first", (value, what) => wholeNumber(value, what, 1), defaultRollout.first),
    pauseMs: of("pause", time, defaultRollout.pauseMs),
    healthy: of("healthy", readHealth, defaultRollout.healthy),
  };
}

function readHealth(written: Written): HealthGate {
  const entries = knownEntries(written, "healthy", healthKeys);
  const { containers, command, withinMs } = defaultRollout.healthy;
  return {
    containers: valueOf(entries, "containers", (value, what) => choice(value, what, ["as-before", "ignored"]), containers),
    command: valueOf(entries, "command", text, command),
    withinMs: valueOf(entries, "within", time, withinMs),
  };
}

function valueOf<Value>(
  entries: ReadonlyMap<string, WrittenEntry>,
  key: string,
  read: (written: Written, what: string) => Value,
  otherwise: Value,
): Value {
  const entry = entries.get(key);
  return entry === undefined ? otherwise : read(entry.value, key);
}

/** `2`, or `"20%"`. */
function share(written: Written, what: string): RolloutSpec["maxUnavailable"] {
  const value = written.kind === "scalar" ? written.value : undefined;
  const percent = typeof value === "string" ? Number(/^(\d+) ?%$/u.exec(value)?.[1]) : Number.NaN;
  if (percent >= 1 && percent <= 100) return { percent };
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 1) return { machines: value };
  throw invalid(written.place, `${what} is a number of machines from 1 on, or a share of them such as 20%`);
}
