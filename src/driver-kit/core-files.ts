/** Names in a machine's folder that the core keeps for itself: no copy of a file of the user's may take one. */

/** The pair that was made for an adopted machine, in the place of its user's own. Its public half has `.pub` behind it. */
export const ownKeyName = "machine_key";

/** That of the store it came from. */
export const importedKeyName = "imported_key";

export const coreFiles: readonly string[] = [
  ...[ownKeyName, importedKeyName].flatMap((name) => [name, `${name}.pub`]),
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

/** A pair that was made for a machine says so in its public half; any other may be a person's own. */
export function isMadeForMachine(publicKey: string): boolean {
  return /^\S+ \S+ docker-machine /u.test(publicKey);
}
