/**
 * What a command loads is what its start costs. The commands that prompts, scripts and editors start all the time stay
 * under a budget, and touch no dependency.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { goldenText } from "../src/store/testing/records.ts";

/**
 * KiB of source, comments included: what was reached, and little more. A budget that is passed is raised only with a reason.
 * What need not be known before a command is found (the tables of most commands, Node's file system where a line is written)
 * belongs behind an import of its own.
 */
const budgetsKiB: Readonly<Record<string, number>> = {
  version: 117,
  "completion bash": 129,
  "__complete -- docker-machine ins": 182,
  "inspect alpha": 287,
  "ip alpha": 303,
  "env --unset": 130,
  "url alpha": 357,
  "config alpha": 378,
  "ls --quiet": 258,
  active: 148,
  ls: 504,
};
/** They ask engines, and for that alone they load TLS. */
const dialing = new Set(["url alpha", "config alpha", "ls"]);

const folder = mkdtempSync(path.join(tmpdir(), "docker-machine-budget-"));
const store = path.join(folder, "store");
mkdirSync(path.join(store, "machines", "alpha"), { recursive: true });
writeFileSync(path.join(store, "machines", "alpha", "config.json"), goldenText("alpha").replaceAll("/tmp/store", store));
after(() => rmSync(folder, { recursive: true }));

function loadsOf(words: string): { files: string[]; heavy: string[] } {
  const loads = path.join(folder, "loads.json");
  spawnSync(process.execPath, ["--import", path.resolve("test/support/record-loads.ts"), "src/cli/bin.ts", ...words.split(" ")], {
    env: { PATH: folder, HOME: folder, SHELL: "/bin/bash", MACHINE_STORAGE_PATH: store, LOADS: loads, NODE_NO_WARNINGS: "1" },
    timeout: 30_000,
  });
  return JSON.parse(readFileSync(loads, "utf8")) as { files: string[]; heavy: string[] };
}

for (const [words, budgetKiB] of Object.entries(budgetsKiB)) {
  test(`${words} loads less than ${budgetKiB} KiB`, () => {
    const { files, heavy } = loadsOf(words);
    const paths = files.map((url) => fileURLToPath(url));
    assert.deepEqual(
      paths.filter((file) => file.includes("node_modules")),
      [],
    );
    assert.deepEqual(
      paths.filter((file) => file.includes("/src/team/")),
      [],
      "a store of one computer pays nothing for teams",
    );
    const KiB = paths.reduce((sum, file) => sum + statSync(file).size, 0) / 1024;
    assert.ok(KiB < budgetKiB, `${KiB.toFixed(0)} KiB in ${paths.length} files`);
    if (!dialing.has(words)) assert.deepEqual(heavy, []);
  });
}
