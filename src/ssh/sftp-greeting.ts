/**
 * What a machine answers to the first packet of SFTP: whether there is a server for it, whether it answers at all, and
 * whether the login shell prints something where its answer should stand. Both back ends ask and judge alike.
 */
import { MachineError } from "../errors/machine-error.ts";
import { formatBound } from "../system/time-text.ts";
import { WireReader } from "./wire.ts";

/** SSH_FXP_INIT for version 3 (draft-ietf-secsh-filexfer-02 §4). */
export const sftpInit: Buffer = Buffer.from([0, 0, 0, 5, 1, 0, 0, 0, 3]);

/** More than any server says to that. */
export const longestGreeting = 64 * 1024;

/** `text` is what stood in the place of an answer. */
export type SftpGreeting = { readonly kind: "sftp" | "none" } | { readonly kind: "noise"; readonly text: string };

const versionPacket = 2;
const shownLength = 80;

export function readSftpGreeting(bytes: Buffer): SftpGreeting {
  if (bytes.length === 0) return { kind: "none" };
  if (bytes.length >= 5 && bytes[4] === versionPacket && new WireReader(bytes).uint32() <= longestGreeting)
    return { kind: "sftp" };
  const text =
    bytes
      .toString("utf8")
      .split(/[\r\n\0]/u)
      .find((line) => line.trim() !== "") ?? "";
  return { kind: "noise", text: text.slice(0, shownLength) };
}

/** @param machine its name, as messages show it. */
export function noisyShell(machine: string, text: string): MachineError {
  return new MachineError(
    "copy-failed",
    `"${machine}" prints ${JSON.stringify(text)} where the answer of its SFTP server should stand`,
    {
      hint: "A start-up file of the login shell there (~/.bashrc, ~/.profile, …) prints it: let it do so in interactive shells only.",
    },
  );
}

export function silentSftp(machine: string, boundMs: number, path?: string): MachineError {
  const asked = path === undefined ? "" : ` when asked for ${path}`;
  return new MachineError("timeout", `The SFTP server of "${machine}" did not answer within ${formatBound(boundMs)}${asked}`, {
    hint: "A start-up file of the login shell there may replace the shell, or a file system there may hang: see what answers with docker-machine ssh.",
  });
}
