/** Who asks for machines at clouds whose engines answer asks no provider, and loads none of the vendors' libraries. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import * as path from "node:path";
import { test } from "node:test";
import { text } from "node:stream/consumers";
import { addCloudMachines } from "../support/cloud-store.ts";
import { openCommandLine } from "./command-line.ts";

const count = 100;

test("ls of a hundred machines at clouds, and env of one of each, load no library and ask no provider while the engines answer", async () => {
  await using shell = await openCommandLine();
  await shell.ok("create -d none --url tcp://127.0.0.1:1 seed");
  await using cloud = await addCloudMachines(shell.store, "seed", count);
  const { stdout, packages } = await runSources(shell.folder, shell.store, ["ls"]);
  assert.equal(stdout.match(/Running +tcp:\/\/127\.\d+\.\d+\.\d+:2376 +v29\.0\.0/gu)?.length, count, stdout);
  assert.deepEqual(packages, []);
  const loaded = await Promise.all(
    cloud.oneOfEach.map(async (name) => await runSources(shell.folder, shell.store, ["env", name])),
  );
  assert.deepEqual(
    loaded.flatMap((one) => one.packages),
    [],
  );
  assert.deepEqual(cloud.heard, []);
});

/** The program by its sources, with a record of what it loads. */
async function runSources(
  folder: string,
  store: string,
  words: readonly string[],
): Promise<{ readonly stdout: string; readonly packages: readonly string[] }> {
  const loads = path.join(folder, `loads-${words.join("-")}.json`);
  const args = ["--import", path.resolve("test/support/record-loads.ts"), path.resolve("src/cli/bin.ts"), ...words];
  const env = {
    PATH: folder,
    HOME: folder,
    SHELL: "/bin/bash",
    MACHINE_STORAGE_PATH: store,
    LOADS: loads,
    NODE_NO_WARNINGS: "1",
  };
  const child = spawn(process.execPath, args, { cwd: folder, env, timeout: 60_000, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
  const stdout = await text(child.stdout);
  assert.equal(await ended, 0, words.join(" "));
  const { files } = JSON.parse(await readFile(loads, "utf8")) as { readonly files: readonly string[] };
  return { stdout, packages: files.filter((file) => file.includes("node_modules")) };
}
