/** What was used up in bulk is given back at once, where the runtime would wait with that until it grows much larger. */

/** The executable's runtime has this; Node collects in time by itself. */
const { Bun: runtime } = globalThis as { readonly Bun?: { gc(wait: boolean): void } };

/** Takes a hundredth of a second or two. */
export function giveBackMemory(): void {
  runtime?.gc(true);
}
