import type { LabHost } from "../lab/lab.ts";

/** The create flags that lead the generic driver to a host of the lab. */
export function genericFlags(host: LabHost): string[] {
  return [
    `--generic-ip-address=${host.address}`,
    "--generic-ssh-key",
    host.privateKeyPath,
    `--generic-ssh-user=${host.sshUser}`,
    `--generic-ssh-port=${host.sshPort}`,
  ];
}

/** `create` on a host of the lab, with further flags. */
export function createArguments(host: LabHost, name: string, ...flags: string[]): string[] {
  return ["create", "--driver", "generic", ...genericFlags(host), ...flags, name];
}
