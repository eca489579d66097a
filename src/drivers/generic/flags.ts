import { defaultEnginePort } from "../../engine/engine-address.ts";
import type { CreateFlag } from "../../driver-kit/create-flag.ts";

/** The five flags of 0.16.2, in its spelling, and ours. */
export const genericFlags: readonly CreateFlag[] = [
  {
    kind: "int",
    name: "generic-engine-port",
    usage: "Docker engine port",
    envVar: "GENERIC_ENGINE_PORT",
    value: defaultEnginePort,
  },
  { kind: "string", name: "generic-ip-address", usage: "IP Address of machine", envVar: "GENERIC_IP_ADDRESS" },
  {
    kind: "bool",
    name: "generic-own-key",
    usage: "A key pair of the machine's own is put beside yours in its authorized_keys, and used from then on",
    envVar: "GENERIC_OWN_KEY",
  },
  {
    kind: "string",
    name: "generic-ssh-config-host",
    usage: "Entry of your ssh_config to connect through, ProxyJump included",
    envVar: "GENERIC_SSH_CONFIG_HOST",
  },
  {
    kind: "string",
    name: "generic-ssh-key",
    usage: "SSH private key path (if not provided, default SSH key will be used)",
    envVar: "GENERIC_SSH_KEY",
  },
  { kind: "int", name: "generic-ssh-port", usage: "SSH port", envVar: "GENERIC_SSH_PORT", value: 22 },
  { kind: "string", name: "generic-ssh-user", usage: "SSH user", envVar: "GENERIC_SSH_USER", value: "root" },
  {
    kind: "string",
    name: "generic-sudo-password-file",
    usage: "File with the sudo password of the SSH user, if sudo asks for one",
    envVar: "GENERIC_SUDO_PASSWORD_FILE",
  },
];
