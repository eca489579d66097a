/** A computer for tests: Linux with a home, unless told otherwise. */
import type { HostPlatform } from "../system/host-platform.ts";

export function fakePlatform(overrides: Partial<HostPlatform> = {}): HostPlatform {
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
