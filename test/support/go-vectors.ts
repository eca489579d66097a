/**
 * Cases recorded from Go's standard library (test/fixtures/go), decoded into our values. The recorder beside them in
 * test/golden/go-recorder explains the format.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { isMachineError, MachineError } from "../../src/errors/machine-error.ts";
import { templateValueOf, type HostListItem, type ListedOptions } from "../../src/cli/list/host-list-item.ts";
import { stateOfNumber } from "../../src/driver-kit/state.ts";
import { durationType } from "../../src/gocompat/duration.ts";
import { decodeGoString } from "../../src/gocompat/go-string.ts";
import { TemplateError } from "../../src/gocompat/template/template.ts";
import {
  complex128Type,
  goFloat,
  goInt,
  goString,
  GoValue,
  stringType,
  typedValue,
  intType,
  uint8Type,
  pointerTo,
  type GoFunction,
} from "../../src/gocompat/value.ts";

/** One recorded case: the operation's inputs, and Go's answer in `out`, `error` or both. */
export interface GoVector {
  readonly op: string;
  readonly out?: unknown;
  readonly error?: unknown;
  readonly [input: string]: unknown;
}

/** What our side answers to a case. */
export interface Answer {
  readonly out?: unknown;
  readonly error?: string | undefined;
}

/** The cases of one operation in `test/fixtures/go/NAME.jsonl`. */
export function goVectors(name: string, op: string): GoVector[] {
  const text = readFileSync(new URL(`../fixtures/go/${name}.jsonl`, import.meta.url), "utf8");
  const vectors = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as GoVector);
  return vectors.filter((vector) => vector.op === op);
}

/** Runs every case through `answer` and reports all that differ from Go's answer. */
export function assertSameAsGo(vectors: readonly GoVector[], answer: (vector: GoVector) => unknown): void {
  assert.ok(vectors.length > 0, "there are cases");
  for (const vector of vectors) {
    const { out, error, ...inputs } = vector;
    const ours = answerOf(() => answer(vector));
    assert.deepEqual({ ...inputs, ...ours }, { ...inputs, ...answered(out, error) });
  }
}

function answered(out: unknown, error: unknown): Answer {
  return { out: fromPortable(out), error: fromPortable(error) as string | undefined };
}

/** What `run` answers; foreseen errors by their message and, where they tell, what was written before. */
export function answerOf(run: () => unknown): Answer {
  try {
    return { out: run(), error: undefined };
  } catch (thrown) {
    if (!isMachineError(thrown)) throw thrown;
    return { out: thrown instanceof TemplateError ? thrown.output : undefined, error: thrown.message };
  }
}

/** A Go string of the recorder: text, or `{"hex": …}` where it is not UTF-8. */
export function fromPortable(recorded: unknown): unknown {
  const isHex = typeof recorded === "object" && recorded !== null && "hex" in recorded;
  return isHex ? decodeGoString(Buffer.from(String(recorded.hex), "hex")) : recorded;
}

/** The value a recorded input stands for; objects with one `$kind` key are values of other types than JSON has. */
export function decodeInput(data: unknown): unknown {
  if (Array.isArray(data)) return data.map(decodeInput);
  if (typeof data !== "object" || data === null) return data;
  const [first] = Object.entries(data);
  if (first?.[0].startsWith("$") === true) return decodeTyped(first[0], first[1]);
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, decodeInput(value)]));
}

const decoders: Readonly<Record<string, (value: never) => GoValue>> = {
  $int: (value: string) => typedValue(intType, BigInt(value)),
  $uint8: (value: string) => typedValue(uint8Type, BigInt(value)),
  $float: (value: string) => goFloat(Number(value.replace("Inf", "Infinity"))),
  $complex: ([re, im]: [number, number]) => new GoValue(complex128Type, { re, im }),
  $bytes: (value: string) => goString(decodeGoString(Buffer.from(value, "hex"))),
  $duration: (value: string) => typedValue(durationType, BigInt(value)),
  $item: (value: Record<string, unknown>) => itemOf(value),
  $itemPointer: (value: Record<string, unknown>) => {
    const item = itemOf(value);
    return new GoValue(pointerTo(item.type), item.data);
  },
  $func: (name: string) => new GoValue({ kind: "func", name: functionTypes[name] ?? "func()" }, goFunctions[name]),
};

function decodeTyped(kind: string, value: unknown): GoValue {
  const decode = decoders[kind];
  assert.ok(decode, `known kind ${kind}`);
  return decode(value as never);
}

function itemOf(recorded: Record<string, unknown>): GoValue {
  const text = (name: string): string => (recorded[name] as string | undefined) ?? "";
  const item: HostListItem = {
    name: text("Name"),
    active: text("Active"),
    activeHost: recorded["ActiveHost"] === true,
    activeSwarm: recorded["ActiveSwarm"] === true,
    driverName: text("DriverName"),
    state: stateOfNumber(Number(recorded["State"] ?? 0)),
    url: text("URL"),
    swarmOptions: (recorded["SwarmOptions"] as ListedOptions | undefined) ?? null,
    swarm: text("Swarm"),
    engineOptions: (recorded["EngineOptions"] as ListedOptions | undefined) ?? null,
    error: text("Error"),
    dockerVersion: text("DockerVersion"),
    responseTimeMs: Number(recorded["ResponseTime"] ?? 0) / 1e6,
  };
  return templateValueOf(item);
}

/** The functions of the recorder, which template data may hold and templates may call. */
export const goFunctions: Readonly<Record<string, GoFunction>> = {
  upper: { params: [stringType], call: (text) => goString(text?.text.toUpperCase() ?? "") },
  sum: { params: [intType, intType], call: (a, b) => goInt((a?.int ?? 0n) + (b?.int ?? 0n)) },
  join: {
    params: [stringType, stringType],
    variadic: true,
    call: (separator, ...parts) => goString(parts.map((part) => part?.text).join(separator?.text)),
  },
  refuse: {
    params: [stringType],
    call: (why) => {
      throw new MachineError("template-invalid", `refused: ${why?.text}`);
    },
  },
};

const functionTypes: Readonly<Record<string, string>> = {
  upper: "func(string) string",
  sum: "func(int, int) int",
  join: "func(string, ...string) string",
  refuse: "func(string) (string, error)",
};
