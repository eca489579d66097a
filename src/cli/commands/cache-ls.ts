/** `cache ls`: what is kept for later machines, the largest first. */
import { listCache, type CacheEntry } from "../../machine/cache.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { openContext } from "../open-context.ts";
import { formatBytes } from "../output/byte-text.ts";
import { columns } from "../output/columns.ts";
import { widthFor } from "../output/wrap.ts";

export async function run(_invocation: Invocation, context: CliContext): Promise<void> {
  const entries = await listCache(openContext(context), 0, context.signal);
  if (context.globals.output === "json") context.printJson(entries);
  else for (const line of cacheLines(entries, widthFor(context.streams.stdout))) context.print(line);
}

/** A table with a sum below it. */
export function cacheLines(entries: readonly CacheEntry[], width: number): string[] {
  if (entries.length === 0) return ["The cache is empty."];
  const header = ["SIZE", "FREED BY PRUNE", "MADE", "WHAT", "PATH"];
  const rows = entries.map(({ sizeBytes, freesBytes, madeAt, title, path }) => [
    formatBytes(sizeBytes),
    formatBytes(freesBytes),
    madeAt.toISOString().slice(0, 10),
    title,
    path,
  ]);
  const [size, frees] = [totalOf(entries, "sizeBytes"), totalOf(entries, "freesBytes")];
  return [...columns([header, ...rows], width), `${size} in all; ${frees} of it no machine uses.`];
}

export function totalOf(entries: readonly CacheEntry[], which: "sizeBytes" | "freesBytes"): string {
  return formatBytes(entries.reduce((total, entry) => total + entry[which], 0));
}
