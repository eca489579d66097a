/**
 * How a data disk begins that boot2docker is to format at its first boot: a tar archive whose first entry asks for it,
 * with the keys that may log in. 0.16.2 begins the disks of all its hypervisors so.
 */
import { tarArchive } from "./tar.ts";

const request = "boot2docker, please format-me";

/** The first bytes of the disk; the rest is empty. */
export function formatMeDisk(authorizedKeys: readonly string[]): Buffer {
  const keys = authorizedKeys.map((line) => `${line}\n`).join("");
  return tarArchive([
    { path: request, mode: 0o644, content: request },
    { path: ".ssh", mode: 0o700 },
    { path: ".ssh/authorized_keys", mode: 0o644, content: keys },
    { path: ".ssh/authorized_keys2", mode: 0o644, content: keys },
  ]);
}
