/** Names in a machine's folder that the core keeps for itself: no copy of a file of the user's may take one. */

export const coreFiles: readonly string[] = [
  "config.json",
  "config.json.bak",
  "journal.ndjson",
  "kept.json",
  "known_hosts",
  "secrets.json",
  "ca.pem",
  "cert.pem",
  "key.pem",
  "server.pem",
  "server-key.pem",
];

/** What temporary files of the core are called: they are swept. */
const temporary = /\.tmp/iu;

/**
 * The name of a file's copy in a machine's folder: its own, unless that is one of the core's. Case does not count,
 * because some file systems do not tell it.
 */
export function copyNameOf(fileName: string): string {
  const isTaken = coreFiles.includes(fileName.toLowerCase()) || temporary.test(fileName);
  return isTaken ? `ssh-${fileName.replaceAll(/\.tmp/giu, "-tmp")}` : fileName;
}
