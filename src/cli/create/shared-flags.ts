/** The flags that `create` has for every driver: the 19 of 0.16.2 and ours. */
import { createDefaults } from "../../machine/create-defaults.ts";
import type { CliFlag } from "../flags/flag.ts";

export const defaultDriverName = "qemu";
/** The default driver of 0.16.2, kept with MACHINE_COMPAT=0.16. */
export const compatDefaultDriverName = "virtualbox";

export const sharedCreateFlags: readonly CliFlag[] = [
  {
    kind: "string",
    name: "driver",
    aliases: ["d"],
    usage: "Driver to create machine with.",
    envVar: "MACHINE_DRIVER",
    value: defaultDriverName,
  },
  {
    kind: "string",
    name: "profile",
    usage: "Take the flags of a profile of the settings",
    envVar: "MACHINE_PROFILE",
  },
  { kind: "bool", name: "dry-run", usage: "Print what would be done on the machine, and do nothing" },
  {
    kind: "bool",
    name: "engine-allow-removal",
    usage: "Let packages go that are in the engine's way on a machine that exists; rm --restore brings them back",
  },
  { kind: "strings", name: "engine-env", usage: "Specify environment variables to set in the engine" },
  {
    kind: "string",
    name: "engine-firewall",
    usage: "Open the engine's port in the machine's firewall, or only check that it is open (open, check)",
    value: createDefaults["engine-firewall"],
    choices: ["open", "check"],
  },
  {
    kind: "strings",
    name: "engine-insecure-registry",
    usage: "Specify insecure registries to allow with the created engine",
  },
  {
    kind: "string",
    name: "engine-install-url",
    usage: "Custom URL to use for engine installation",
    envVar: "MACHINE_DOCKER_INSTALL_URL",
    value: createDefaults["engine-install-url"],
  },
  { kind: "strings", name: "engine-label", usage: "Specify labels for the created engine" },
  {
    kind: "strings",
    name: "engine-opt",
    usage: "Specify arbitrary flags to include with the created engine in the form flag=value",
  },
  {
    kind: "strings",
    name: "engine-package-key",
    usage: "Fingerprint of the key that signs the package mirror, where that is not Docker's own key",
  },
  {
    kind: "string",
    name: "engine-package-mirror",
    usage: "Mirror of Docker's package repository to install the engine from",
    envVar: "MACHINE_ENGINE_PACKAGE_MIRROR",
  },
  {
    kind: "strings",
    name: "engine-registry-mirror",
    usage: "Specify registry mirrors to use",
    envVar: "ENGINE_REGISTRY_MIRROR",
  },
  {
    kind: "string",
    name: "engine-source",
    usage: "Where the engine comes from (auto, docker, distro, script, static)",
    envVar: "MACHINE_ENGINE_SOURCE",
    value: createDefaults["engine-source"],
    choices: ["auto", "docker", "distro", "script", "static"],
  },
  {
    kind: "bool",
    name: "engine-share-ca",
    usage: "Keep the engine open to the owner who set it up before, beside you",
  },
  { kind: "string", name: "engine-storage-driver", usage: "Specify a storage driver to use with the engine" },
  {
    kind: "string",
    name: "engine-transport",
    usage: "How the engine is reached: over TLS at its port, or over SSH alone, with no port opened (tls, ssh)",
    envVar: "MACHINE_ENGINE_TRANSPORT",
    value: createDefaults["engine-transport"],
    choices: ["tls", "ssh"],
  },
  {
    kind: "string",
    name: "engine-version",
    usage: "Version of the engine (default: the newest)",
    envVar: "MACHINE_ENGINE_VERSION",
  },
  {
    kind: "string",
    name: "idle",
    usage: "Have the machine powered off after this long without a container and a connection: 2h",
  },
  {
    kind: "int",
    name: "parallel",
    usage: "Machines at the same time",
    value: 20,
  },
  {
    kind: "string",
    name: "ssh-host-key",
    usage: "Fingerprint that the machine's SSH host key must have, as SHA256:...",
  },
  { kind: "bool", name: "swarm", usage: "Configure Machine to join a Swarm cluster" },
  {
    kind: "string",
    name: "swarm-addr",
    usage: "addr to advertise for Swarm (default: detect and use the machine IP)",
  },
  { kind: "string", name: "swarm-discovery", usage: "Discovery service to use with Swarm" },
  { kind: "bool", name: "swarm-experimental", usage: "Enable Swarm experimental features" },
  {
    kind: "string",
    name: "swarm-host",
    usage: "ip/socket to listen on for Swarm master",
    value: createDefaults["swarm-host"],
  },
  {
    kind: "string",
    name: "swarm-image",
    usage: "Specify Docker image to use for Swarm",
    envVar: "MACHINE_SWARM_IMAGE",
    value: createDefaults["swarm-image"],
  },
  { kind: "strings", name: "swarm-join-opt", usage: "Define arbitrary flags for Swarm join" },
  { kind: "bool", name: "swarm-master", usage: "Configure Machine to be a Swarm master" },
  { kind: "strings", name: "swarm-opt", usage: "Define arbitrary flags for Swarm master" },
  {
    kind: "string",
    name: "swarm-strategy",
    usage: "Define a default scheduling strategy for Swarm",
    value: createDefaults["swarm-strategy"],
  },
  {
    kind: "string",
    name: "tls-key-type",
    usage: "Kind of the keys made for TLS (rsa, ecdsa)",
    envVar: "MACHINE_TLS_KEY_TYPE",
    value: createDefaults["tls-key-type"],
    choices: ["rsa", "ecdsa"],
  },
  { kind: "strings", name: "tls-san", usage: "Support extra SANs for TLS certs" },
  { kind: "string", name: "ttl", usage: "Have the machine powered off after this long, or at a time: 8h, 2026-11-28T18:00:00Z" },
  { kind: "bool", name: "ttl-power-off", usage: "Let --ttl and --idle power off a machine that was there before" },
];

/** The shared flags with the default driver of the given mode. */
export function sharedCreateFlagsFor(compat: boolean): readonly CliFlag[] {
  if (!compat) return sharedCreateFlags;
  return sharedCreateFlags
    .filter(({ name }) => name !== "profile" && name !== "parallel")
    .map((flag) => (flag.name === "driver" && flag.kind === "string" ? { ...flag, value: compatDefaultDriverName } : flag));
}

/** Shared and driver flags in the order help lists them. A driver's flag of a taken name is dropped: shared flags win. */
export function mergeCreateFlags(shared: readonly CliFlag[], driver: readonly CliFlag[]): readonly CliFlag[] {
  const taken = new Set(shared.flatMap((flag) => [flag.name, ...(flag.aliases ?? [])]));
  const merged = [...shared, ...driver.filter((flag) => !taken.has(flag.name))];
  return merged.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
