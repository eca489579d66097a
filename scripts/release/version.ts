/** The one version, in all places that name it. */
import { readFileSync, writeFileSync } from "node:fs";

/** Each file with what stands around the version in it. */
export const versionPlaces: readonly { readonly file: string; readonly pattern: RegExp }[] = [
  { file: "package.json", pattern: /(?<=^ {2}"version": ")[^"]+/mu },
  { file: "package-lock.json", pattern: /(?<=^(?: {2}| {6})"version": ")[^"]+/gmu },
  { file: "src/cli/version.ts", pattern: /(?<=^export const version = ")[^"]+/mu },
];

/** Of the lock file only the first two are ours. */
const ownInLock = 2;

/** Throws where it is no version of three numbers, with or without a pre-release. */
export function setVersion(version: string): void {
  if (!/^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/u.test(version))
    throw new Error(`"${version}" is no version such as 1.2.3 or 1.2.3-rc.1`);
  for (const { file, pattern } of versionPlaces) {
    let count = 0;
    const text = readFileSync(file, "utf8");
    writeFileSync(
      file,
      text.replace(pattern, (old) => ((count += 1) <= ownInLock ? version : old)),
    );
  }
}
