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
