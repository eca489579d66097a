/** The key pair that opens every lab host, and the fingerprints of the hosts' own keys. */
import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { readFileIfExists } from "../../src/system/files.ts";
import { command } from "./command.ts";
import { labPaths } from "./paths.ts";

export interface LabIdentity {
  readonly privateKeyPath: string;
  /** One line as in authorized_keys. */
  readonly publicKey: string;
}

/** Makes the pair when it is not there. The caller holds the lab's lock. */
export async function openIdentity(): Promise<LabIdentity> {
  await mkdir(labPaths.root, { recursive: true, mode: 0o700 });
  if ((await readFileIfExists(`${labPaths.identity}.pub`)) === undefined) {
    await command("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "docker-machine-lab", "-f", labPaths.identity]);
  }
  const publicKey = (await readFile(`${labPaths.identity}.pub`, "utf8")).trim();
  return { privateKeyPath: labPaths.identity, publicKey };
}

/** `SHA256:…` of a public key line, as ssh-keygen -l prints it. */
export function fingerprintOf(publicKeyLine: string): string {
  const blob = Buffer.from(publicKeyLine.split(" ")[1] ?? "", "base64");
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/u, "")}`;
}
