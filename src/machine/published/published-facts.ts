/** What is known of the ports of a machine's containers on this computer, for whoever shows or judges it. */
import type { Host } from "../host/host.ts";
import { isThere, readNote, type NotedPort } from "./watcher-note.ts";

export interface PublishedFacts {
  /** Whether a process sees to it just now. */
  readonly isWatched: boolean;
  /** Each that a container publishes; of one that is not watched none. */
  readonly ports: readonly NotedPort[];
  /** Why the engine is not heard just now. */
  readonly trouble?: string | undefined;
}

/** Undefined where they do not come here, because the driver cannot or the user wants none. */
export async function publishedFacts({ driver, dir, name }: Host): Promise<PublishedFacts | undefined> {
  if (driver.containerPorts === undefined) return undefined;
  const note = await readNote(dir);
  if (note === undefined || note.machine !== name || !(await isThere(note))) return { isWatched: false, ports: [] };
  return { isWatched: true, ports: note.ports, trouble: note.trouble };
}
