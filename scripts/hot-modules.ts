/**
 * Which of our files the commands of every day load, recorded by running them from their sources. What is loaded together
 * is put together into one file of the npm package: to find and read a file costs Node more than to have a few functions
 * too many.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { fileURLToPath } from "node:url";

/** Groups in the order in which they are needed; a file is in the first that needs it. */
const recordings: Readonly<Record<string, readonly (readonly string[])[]>> = {
  frame: [["version"]],
  machine: [["active"], ["ls", "-q"], ["inspect", "one"]],
  engine: [
    ["config", "one"],
    ["env", "one"],
  ],
  list: [["ls"]],
};

export const hotGroups = Object.keys(recordings);

const root = path.resolve(import.meta.dirname, "..");
const entry = path.join(root, "src/cli/bin.ts");

/** The group of each file, by its absolute path; the program's entry is in none. */
export function hotModules(): ReadonlyMap<string, string> {
  const scene = mkdtempSync(path.join(tmpdir(), "docker-machine-hot-"));
  try {
    const { PATH } = process.env;
    const env = { PATH, HOME: scene, SHELL: "/bin/sh", MACHINE_STORAGE_PATH: path.join(scene, "store"), NODE_NO_WARNINGS: "1" };
    const run = [entry, "create", "-d", "none", "--url", "tcp://127.0.0.1:1", "--tls-key-type", "ecdsa", "one"];
    execFileSync(process.execPath, run, { env, stdio: ["ignore", "ignore", "inherit"] });
    const groups = new Map<string, string>();
    for (const [group, commands] of Object.entries(recordings))
      for (const file of commands.flatMap((words) => loadsOf(words, scene, env)))
        if (file !== entry && !groups.has(file)) groups.set(file, group);
    return groups;
  } finally {
    rmSync(scene, { recursive: true });
  }
}

/** Nothing answers at the machine's address: how that is told is loaded too, and of that the part that all errors need. */
function loadsOf(words: readonly string[], scene: string, env: NodeJS.ProcessEnv): string[] {
  const loads = path.join(scene, "loads.json");
  const recorder = path.join(root, "test/support/record-loads.ts");
  spawnSync(process.execPath, ["--import", recorder, entry, ...words], { env: { ...env, LOADS: loads }, stdio: "ignore" });
  const { files } = JSON.parse(readFileSync(loads, "utf8")) as { files: string[] };
  return files.map((url) => fileURLToPath(url)).filter((file) => file.startsWith(path.join(root, "src")));
}
