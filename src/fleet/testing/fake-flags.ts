/** Create flags of drivers that there are not, for tests of what a fleet's file may say. */
import { driverOptions, defaultValue, overlayOptions } from "../../driver-kit/create-flag.ts";
import { MachineError } from "../../errors/machine-error.ts";
import type { FileFlag, FlagSource } from "../file/flag-source.ts";

const shared: readonly FileFlag[] = [
  { kind: "string", name: "driver", usage: "" },
  { kind: "bool", name: "dry-run", usage: "" },
  { kind: "string", name: "engine-source", usage: "", choices: ["auto", "docker", "distro", "script", "static"] },
  { kind: "string", name: "engine-version", usage: "" },
  { kind: "string", name: "engine-transport", usage: "", choices: ["tls", "ssh"] },
  { kind: "strings", name: "engine-opt", usage: "" },
  { kind: "strings", name: "engine-env", usage: "" },
  { kind: "strings", name: "engine-label", usage: "" },
  { kind: "strings", name: "engine-insecure-registry", usage: "" },
  { kind: "strings", name: "engine-registry-mirror", usage: "" },
  { kind: "strings", name: "engine-package-key", usage: "" },
  { kind: "string", name: "engine-package-mirror", usage: "" },
  { kind: "string", name: "engine-storage-driver", usage: "" },
  { kind: "string", name: "engine-install-url", usage: "" },
  { kind: "string", name: "engine-firewall", usage: "", choices: ["open", "check"] },
  { kind: "bool", name: "engine-allow-removal", usage: "" },
  { kind: "bool", name: "engine-share-ca", usage: "" },
  { kind: "strings", name: "tls-san", usage: "" },
  { kind: "string", name: "ttl", usage: "" },
  { kind: "string", name: "idle", usage: "" },
  { kind: "bool", name: "ttl-power-off", usage: "" },
  { kind: "string", name: "tls-key-type", usage: "", value: "ecdsa" },
];

/** The drivers `cloud`, `box`, and `fake` of the driver's stand-in. */
export const fakeFlags: Readonly<Record<string, readonly FileFlag[]>> = {
  cloud: [
    { kind: "string", name: "cloud-token", usage: "", secret: true },
    { kind: "string", name: "cloud-type", usage: "", value: "small" },
    { kind: "int", name: "cloud-memory", usage: "", unit: "MB" },
    { kind: "bool", name: "cloud-ipv6", usage: "" },
    { kind: "strings", name: "cloud-tag", usage: "" },
  ],
  box: [
    { kind: "string", name: "box-address", usage: "" },
    { kind: "string", name: "box-api-key", usage: "" },
  ],
  fake: [
    { kind: "string", name: "fake-size", usage: "" },
    { kind: "int", name: "fake-cpus", usage: "" },
    { kind: "int", name: "fake-memory", usage: "", unit: "MB" },
  ],
};

export function fakeFlagSource(env: Readonly<Record<string, string>> = {}): FlagSource {
  return flagSourceOf(shared, fakeFlags, env);
}

/** Of drivers by name, each with flags of its own beside those that all have. */
export function flagSourceOf(
  common: readonly FileFlag[],
  drivers: Readonly<Record<string, readonly FileFlag[]>>,
  env: Readonly<Record<string, string>> = {},
): FlagSource {
  const flagsOf = async (driverName: string): Promise<readonly FileFlag[]> => {
    const own = drivers[driverName];
    if (own === undefined) throw new MachineError("driver-not-found", `Driver "${driverName}" not found`);
    return [...common, ...own];
  };
  return {
    env,
    flagsOf,
    ownerOf: async (flag) => Object.keys(drivers).find((name) => drivers[name]?.some((each) => each.name === flag)),
    driverNames: async () => Object.keys(drivers),
    optionsFor: async (driverName, values) => {
      const defaults = Object.fromEntries((await flagsOf(driverName)).map((flag) => [flag.name, defaultValue(flag)]));
      return overlayOptions(driverOptions(defaults, new Set()), values);
    },
  };
}
