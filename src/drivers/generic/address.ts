/**
 * What users write for an address: more than one is taken apart where that is safe (blanks, brackets) and refused with
 * the flag that is meant where it is not. OpenSSH would take `root@10.0.0.5` for user and host, and certificates would
 * be made for that name.
 */
import { MachineError } from "../../errors/machine-error.ts";
import { isIpAddress } from "../../system/tcp.ts";

const hostName = /^[\p{L}\p{N}_](?:[\p{L}\p{N}._-]*)$/u;

/** The address alone; "" where none is given. Throws `driver-options`. */
export function readAddress(typed: string): string {
  const text = typed.trim();
  const address = /^\[([^\]]*)\]$/u.exec(text)?.[1] ?? text;
  if (address === "" || isIpAddress(address.replace(/%[\w.-]+$/u, "")) || hostName.test(address)) return address;
  throw new MachineError("driver-options", `--generic-ip-address ${JSON.stringify(typed)} is not an address`, {
    hint: meant(address),
  });
}

function meant(address: string): string {
  const [, scheme, rest = address] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/iu.exec(address) ?? [];
  const [, user, host = "", port] = /^(?:([^@]*)@)?(\[[^\]]*\]|[^:/@]*)(?::(\d+))?/u.exec(rest) ?? [];
  if (!hostName.test(host) && !isIpAddress(host.replaceAll(/[[\]]/gu, "")))
    return "Give the machine's name or its IP address, and nothing else.";
  const portFlag = scheme === "tcp" || port === "2376" ? "--generic-engine-port" : "--generic-ssh-port";
  const flags = [
    `--generic-ip-address ${host.replaceAll(/[[\]]/gu, "")}`,
    ...(user === undefined || user === "" ? [] : [`--generic-ssh-user ${user}`]),
    ...(port === undefined ? [] : [`${portFlag} ${port}`]),
  ];
  return `Give the address alone: ${flags.join(" ")}`;
}
