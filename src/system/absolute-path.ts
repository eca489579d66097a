/** Paths without Node's own module for them where they need none of it: that takes the executable a twentieth of `version`. */

/** Absolute, with nothing in it to resolve, as most paths are. */
const resolved = /^(?:\/(?!\.{0,2}(?:\/|$))[^/]+)+$/u;

/** A path as it stands in the folder `cwd`. */
export function absolutePath(cwd: string, text: string): string {
  return resolved.test(text) ? text : process.getBuiltinModule("node:path").resolve(cwd, text);
}
