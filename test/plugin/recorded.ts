/** The recorded connections and how their decoded form writes values down. */
import { readdirSync, readFileSync } from "node:fs";

const folder = new URL("captures/", import.meta.url);

export interface RecordedMessage {
  readonly ServiceMethod: string;
  readonly Seq: number;
  readonly Error?: string;
  readonly body: unknown;
}

export interface RecordedDirection {
  readonly bytes: Buffer;
  readonly httpHead: string;
  readonly messages: readonly RecordedMessage[];
}

export interface RecordedConnection {
  readonly name: string;
  readonly clientToServer: RecordedDirection;
  readonly serverToClient: RecordedDirection;
}

/** All recorded connections between the Go tool and its plugins. */
export function recordedConnections(): RecordedConnection[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".c2s.bin"))
    .toSorted()
    .map((file) => {
      const name = file.slice(0, -".c2s.bin".length);
      return { name, clientToServer: direction(`${name}.c2s`), serverToClient: direction(`${name}.s2c`) };
    });
}

function direction(stem: string): RecordedDirection {
  const [head, ...messages] = readFileSync(new URL(`${stem}.decoded.jsonl`, folder), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
  return {
    bytes: readFileSync(new URL(`${stem}.bin`, folder)),
    httpHead: (head as { http: string }).http,
    messages: messages as RecordedMessage[],
  };
}

/** A decoded value in the form in which the recordings are written down. */
export function plainOf(value: unknown): unknown {
  if (typeof value === "bigint") return { $bigint: String(value) };
  if (typeof value === "number" && !Number.isFinite(value)) return { $float: String(value) };
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("utf8") };
  if (Array.isArray(value)) return value.map(plainOf);
  if (value instanceof Map) return plainEntries(value);
  if ("type" in value && "value" in value) return { $iface: value.type, value: plainOf(value.value) };
  return plainEntries(Object.entries(value));
}

function plainEntries(entries: Iterable<readonly [unknown, unknown]>): Record<string, unknown> {
  return Object.fromEntries([...entries].map(([key, value]) => [String(key), plainOf(value)]));
}
