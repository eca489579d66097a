/** The labels that a record gives its machine. Pure. */
import type { EngineOptions, HostExtra } from "./host-record.ts";

export type Labels = Readonly<Record<string, string>>;

/** Of the machine's own; what is not text, as others may have written it, is passed over. */
export function labelsOf({ extra }: { readonly extra: HostExtra }): Labels {
  const labels: unknown = extra.Labels;
  if (typeof labels !== "object" || labels === null || Array.isArray(labels)) return {};
  return Object.fromEntries(Object.entries(labels).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

/** `key=value` each, the engine's first: of a key that is given twice, filters take the last. */
export function allLabelsOf(facts: { readonly extra: HostExtra; readonly engine: Pick<EngineOptions, "Labels"> }): string[] {
  const own = Object.entries(labelsOf(facts)).map(([key, value]) => `${key}=${value}`);
  return [...(facts.engine.Labels ?? []), ...own];
}
