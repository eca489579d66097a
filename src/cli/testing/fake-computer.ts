/** A computer for tests: Linux with a home, unless told otherwise. */
import type { Computer } from "../../system/computer.ts";

export function fakeComputer(overrides: Partial<Computer> = {}): Computer {
  return {
    os: "linux",
    arch: "x64",
    env: {},
    homeDir: "/home/u",
    userName: "u",
    cwd: "/here",
    pid: 4711,
    uid: 1000,
    ...overrides,
  };
}
