/** How an engine is reached: over TLS at a port of its own, or over SSH alone (`create --engine-transport ssh`). */
import type { Host } from "./host.ts";

/** Whether the engine opens no port, and is reached behind the SSH server. */
export function isOverSsh({ record, module }: Pick<Host, "record" | "module">): boolean {
  return record.extra.EngineTransport === "ssh" || module.capabilities.guest === true;
}

/** `ssh://USER@ADDRESS:PORT` as docker's own client takes it; "" while the driver knows no address. */
export async function sshUrlOf({ driver }: Pick<Host, "driver">): Promise<string> {
  const address = await driver.getSshHostname();
  if (address === "") return "";
  const user = await driver.getSshUsername();
  const host = address.includes(":") ? `[${address}]` : address;
  return `ssh://${user === "" ? "" : `${user}@`}${host}:${(await driver.getSshPort()) || 22}`;
}

/** What docker's client is given: the entry that `docker-machine ssh-config --install` writes, with the pinned key. */
export function sshAliasOf(machineName: string): string {
  return `${machineName}.docker-machine`;
}
