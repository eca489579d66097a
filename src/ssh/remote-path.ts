/**
 * Paths on a machine for programs that hand them to the remote shell, as scp's old protocol does: there a path must mean
 * what it means over SFTP, where only `*`, `?` and `[…]` of a source are patterns.
 */
import { MachineError } from "../errors/machine-error.ts";

const pattern = /[*?[\]]/u;

/** Characters that a shell takes as they are, whichever it is. Bytes beyond ASCII are. */
const plain = /[A-Za-z0-9_@%+=:,./\u0080-\u{10FFFF}-]/u;

/** Whether a path of a source names more than one file, or not the one that is written. */
export function isPattern(path: string): boolean {
  return pattern.test(path);
}

/**
 * Each character that could mean something is behind a backslash: quotation marks would be part of the name that scp
 * expects to be sent. A leading `~` stands for the home, as over SFTP. Throws `copy-failed` for line breaks, which no
 * backslash keeps.
 */
export function escapeForShell(path: string, side: "source" | "destination"): string {
  if (/[\n\r\0]/u.test(path)) {
    throw new MachineError("copy-failed", `The path ${JSON.stringify(path)} cannot be given to a machine without SFTP`, {
      hint: "Rename the file, or install an SFTP server on the machine.",
    });
  }
  const home = /^~[A-Za-z0-9_.-]*(?=\/|$)/u.exec(path)?.[0] ?? "";
  const escaped = Array.from(path.slice(home.length), (character) => {
    const keeps = plain.test(character) || (side === "source" && pattern.test(character));
    return keeps ? character : `\\${character}`;
  });
  return home + escaped.join("");
}
