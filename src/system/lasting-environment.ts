/** What a process that outlives this one is given of the environment: the rest may hold credentials. */
import type { Computer } from "./computer.ts";

const passed = new Set([
  "PATH",
  "HOME",
  "TMPDIR",
  "LANG",
  "LC_ALL",
  "XDG_RUNTIME_DIR",
  "SystemRoot",
  "TEMP",
  "USERPROFILE",
  "LD_LIBRARY_PATH",
]);

/** @param also whether a variable is passed besides those that every program needs; it must be none of credentials */
export function lastingEnvironment({ env }: Pick<Computer, "env">, also = (_name: string) => false): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value !== undefined && (passed.has(name) || also(name)) ? [[name, value]] : [],
    ),
  );
}
