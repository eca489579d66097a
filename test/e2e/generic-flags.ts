import type { LabHost } from "../lab/lab.ts";

/** The create flags that lead the generic driver to hosts of the lab that share a user and a key: one for each name. */
export function genericFlags(...hosts: readonly LabHost[]): string[] {
  const [first] = hosts;
  if (first === undefined) throw new Error("No host to lead to");
  return [
    ...hosts.map(({ address }) => `--generic-ip-address=${address}`),
    "--generic-ssh-key",
    first.privateKeyPath,
    `--generic-ssh-user=${first.sshUser}`,
    `--generic-ssh-port=${first.sshPort}`,
  ];
}

/** `create` on a host of the lab, with further flags. */
export function createArguments(host: LabHost, name: string, ...flags: string[]): string[] {
  return ["create", "--driver", "generic", ...genericFlags(host), ...flags, name];
}
