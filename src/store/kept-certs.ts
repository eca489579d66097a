/** Where certificates are kept that others took the place of. */
import * as path from "node:path";

const keptCerts = /^certs-(?:before|of)-[a-z0-9_-]+$/u;

/**
 * Beside `certs/`: an authority that another one took the place of, for the machines whose engines believe it. `before` a team
 * of that name gave its own, `of` the team.
 */
export function keptCertsDirOf(storeRoot: string, whose: "before" | "of", team: string): string {
  return path.join(storeRoot, `certs-${whose}-${team}`);
}

export function isKeptCertsDir(storeRoot: string, folder: string): boolean {
  return path.dirname(folder) === storeRoot && keptCerts.test(path.basename(folder));
}
