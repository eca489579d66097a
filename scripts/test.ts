/**
 * Runs the test groups one after the other and ends with the plain line that counts them all.
 *
 *   node scripts/test.ts              every group
 *   node scripts/test.ts unit         one group
 *   node scripts/test.ts lab PATTERN  the files of a group whose path holds PATTERN
 */
import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

interface Group {
  readonly files: readonly string[];
  readonly options: readonly string[];
}

/** The counts that promises are stated with take their time. */
const longestMs = process.env["DOCKER_MACHINE_LONG_TESTS"] === "1" ? 3_600_000 : 600_000;

/** `unit` shares one process; what starts servers, hosts or machines gets a process for each file. */
const groups: Readonly<Record<string, Group>> = {
  unit: { files: ["src/**/*.test.ts", "test/*.test.ts"], options: ["--test-isolation=none", "--test-timeout=60000"] },
  integration: {
    files: ["test/{golden,plugin,ssh,cli,safety,differential,completion}/**/*.test.ts"],
    options: ["--test-concurrency=2", `--test-timeout=${longestMs}`],
  },
  // The engine that carries the hosts stays up between the files, with every image built.
  lab: {
    files: ["test/{lab,provision,e2e}/**/*.test.ts"],
    options: ["--test-concurrency=2", "--test-timeout=900000", "--test-global-setup=test/lab/global-setup.ts"],
  },
  machines: { files: ["test/drivers/**/*.test.ts"], options: ["--test-concurrency=1", "--test-timeout=1200000"] },
};

const [wanted, pattern = ""] = process.argv.slice(2);
const scratch = mkdtempSync(path.join(tmpdir(), "docker-machine-test-"));
const countsFile = path.join(scratch, "counts.jsonl");
let broken = false;
for (const [name, group] of Object.entries(groups)) {
  if (wanted !== undefined && wanted !== name) continue;
  const files = group.files.flatMap((glob) => globSync(glob)).filter((file) => file.includes(pattern));
  if (files.length === 0) continue;
  console.log(`${name}: ${files.length} files`);
  const started = performance.now();
  const { status } = spawnSync(
    process.execPath,
    [
      "--test",
      `--test-reporter=${path.resolve("scripts/test-reporter.ts")}`,
      "--test-reporter-destination=stdout",
      ...group.options,
      ...files,
    ],
    { stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, TEST_COUNTS: countsFile } },
  );
  broken ||= status !== 0;
  console.log(`${name}: ${((performance.now() - started) / 1000).toFixed(0)} s\n`);
}
const total = { passed: 0, failed: 0, skipped: 0 };
for (const line of readCounts()) {
  total.passed += line.passed;
  total.failed += line.failed;
  total.skipped += line.skipped;
}
rmSync(scratch, { recursive: true });
if (broken && total.failed === 0) total.failed = 1;
console.log(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ""}`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

function readCounts(): { passed: number; failed: number; skipped: number }[] {
  try {
    return readFileSync(countsFile, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as { passed: number; failed: number; skipped: number });
  } catch {
    return [];
  }
}
