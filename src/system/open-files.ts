/** How many files and connections a process may have open, and what that leaves to work that is done side by side. */
import { readFileIfExists } from "./files.ts";

/** What the runtime has open itself, and what short looks at files take. */
const keptBack = 32;

/**
 * How many pieces of work may go on at once, each with up to `each` files or connections open, where as many as `most` are
 * wanted. At least one. Where the bound is not known (other systems than Linux) it is `most`.
 */
export async function sideBySideWithin(most: number, each: number): Promise<number> {
  const limits = await readFileIfExists("/proc/self/limits").catch(() => undefined);
  return placesWithin(limits?.toString("utf8") ?? "", most, each);
}

/** By the text of /proc/PID/limits (proc(5)). */
export function placesWithin(limits: string, most: number, each: number): number {
  const soft = /^Max open files +(\d+)/mu.exec(limits)?.[1];
  if (soft === undefined) return most;
  return Math.max(1, Math.min(most, Math.floor((Number(soft) - keptBack) / each)));
}
