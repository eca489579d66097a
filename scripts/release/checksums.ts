/** SHA256SUMS, as `sha256sum -c` reads it. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";

/** Writes the sums of all files of the folder, and gives them by name. */
export function writeChecksums(folder: string): Readonly<Record<string, string>> {
  const names = readdirSync(folder)
    .filter((name) => name !== "SHA256SUMS")
    .toSorted();
  const sums = Object.fromEntries(
    names.map((name) => [
      name,
      createHash("sha256")
        .update(readFileSync(path.join(folder, name)))
        .digest("hex"),
    ]),
  );
  const lines = Object.entries(sums).map(([name, sum]) => `${sum}  ${name}\n`);
  writeFileSync(path.join(folder, "SHA256SUMS"), lines.join(""));
  return sums;
}
