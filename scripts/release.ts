/**
 * Makes a release: `node scripts/release.ts [VERSION] [--targets NAME,…] [--from URL] [--out FOLDER]`.
 *
 * Executables for every system, their checksums, a bill of materials, Debian packages, install.sh and, once it is known where
 * releases are published, a Homebrew formula and a Scoop manifest. With a VERSION that is written everywhere first.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { parseArgs } from "node:util";
import { writeChecksums } from "./release/checksums.ts";
import { buildDebianPackage } from "./release/debian.ts";
import { buildExecutable } from "./release/executables.ts";
import { formulaOf, manifestOf } from "./release/package-managers.ts";
import { billOfMaterials } from "./release/bill-of-materials.ts";
import { targets } from "./release/targets.ts";
import { setVersion } from "./release/version.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { targets: { type: "string" }, from: { type: "string" }, out: { type: "string" } },
});
const [wanted] = positionals;
if (wanted !== undefined) setVersion(wanted);
const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
const { origin } = JSON.parse(readFileSync("release.json", "utf8")) as { origin: string };
const from = values.from ?? origin;
const names = values.targets?.split(",") ?? Object.keys(targets);
const out = path.resolve(values.out ?? "build/release");
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
// The layout of the executables is recorded anew: a release comes of its sources alone.
rmSync("build/order", { recursive: true, force: true });

const unmade: string[] = [];
const made: string[] = [];
for (const name of names) {
  const target = targets[name];
  if (target === undefined) throw new Error(`No target ${name}; there are ${Object.keys(targets).join(", ")}`);
  try {
    const file = await buildExecutable(name, target, out);
    made.push(name);
    if (target.debian !== undefined) buildDebianPackage({ executable: file, architecture: target.debian, version, out });
  } catch (error) {
    unmade.push(`${name}: ${(error as Error).message}`);
  }
}
const write = (file: string, text: string, mode = 0o644): void => writeFileSync(path.join(out, file), text, { mode });
write("docker-machine.cdx.json", billOfMaterials(version));
write("install.sh", readFileSync("scripts/release/install.sh", "utf8").replace("@ORIGIN@", from), 0o755);
const sums = writeChecksums(out);
if (from === "") console.log("Where releases are published is not known (release.json): no formula and no manifest.");
else {
  write("docker-machine.rb", formulaOf(version, from, sums));
  write("docker-machine.json", manifestOf(version, from, sums));
}
console.log(`Made ${made.join(", ") || "no executable"} in ${out}`);
for (const line of unmade) console.error(`NOT made: ${line}`);
if (unmade.length > 0) process.exitCode = 1;
