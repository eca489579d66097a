/**
 * Replays the recorded cases against a program, in their order, in a fresh store, with an environment that holds
 * nothing of this computer but a few programs. Paths in the output are put back to those of the recording.
 */
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import type { GoldenCase } from "./golden-cases.ts";

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `default`: as users run it. `compat`: with MACHINE_COMPAT=0.16. */
export type Mode = "default" | "compat";

/** Programs that the cases may reach: what is missing here is missing in the recording too, such as sshfs. */
const programs = ["cp", "scp", "ssh", "ssh-keygen"];
const recordedStore = "/tmp/store";
const caseTimeoutMs = 60_000;

/** The argv prefix that runs the program: what the variable holds, split at spaces, or the sources on this Node. */
export function programUnderTest(runtime: "any" | "node" = "any"): readonly string[] {
  const given = process.env[runtime === "node" ? "DOCKER_MACHINE_NODE_PROGRAM" : "DOCKER_MACHINE_PROGRAM"];
  return given === undefined ? [process.execPath, path.resolve("src/cli/bin.ts")] : given.split(" ");
}

/** The outcome of every case, in their order. `records` are machines that are there before, by name. */
export function replay(
  program: readonly string[],
  cases: readonly GoldenCase[],
  mode: Mode,
  records: Readonly<Record<string, string>> = {},
): Outcome[] {
  const store = makeStore();
  for (const [name, text] of Object.entries(records)) {
    mkdirSync(path.join(store, "machines", name), { recursive: true });
    writeFileSync(path.join(store, "machines", name, "config.json"), text.replaceAll(recordedStore, store));
  }
  const root = mkdtempSync(path.join(tmpdir(), "docker-machine-golden-"));
  try {
    const base = prepare(root, store, mode);
    return cases.map((golden) => runCase(program, golden, { root, store, base }));
  } finally {
    for (const folder of [root, store]) rmSync(folder, { recursive: true });
  }
}

/** Help is aligned to the path of the store, so the path is as long as the recorded one. */
function makeStore(): string {
  const store = `/tmp/${randomBytes(5)
    .toString("base64url")
    .slice(0, recordedStore.length - "/tmp/".length)}`;
  mkdirSync(store);
  return store;
}

function prepare(root: string, store: string, mode: Mode): Record<string, string> {
  for (const folder of ["home", "bin", "work"]) mkdirSync(path.join(root, folder));
  for (const name of programs) {
    const found = spawnSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).stdout.trim();
    if (found !== "") symlinkSync(found, path.join(root, "bin", name));
  }
  return {
    PATH: path.join(root, "bin"),
    HOME: path.join(root, "home"),
    USER: "tester",
    SHELL: "/bin/bash",
    MACHINE_STORAGE_PATH: store,
    MACHINE_BUGSNAG_API_TOKEN: "no-report",
    DOCKER_MACHINE_ARGV0: "docker-machine",
    ...(mode === "compat" ? { MACHINE_COMPAT: "0.16" } : {}),
  };
}

interface Surroundings {
  readonly root: string;
  readonly store: string;
  readonly base: Readonly<Record<string, string>>;
}

function runCase(program: readonly string[], golden: GoldenCase, { root, store, base }: Surroundings): Outcome {
  const [file = "", ...prefix] = program;
  const { status, stdout, stderr, error } = spawnSync(file, [...prefix, ...golden.args], {
    cwd: path.join(root, "work"),
    env: { ...base, ...golden.env },
    input: golden.stdin,
    encoding: "utf8",
    timeout: caseTimeoutMs,
  });
  if (error !== undefined) throw error;
  const recorded = (text: string): string => text.replaceAll(store, recordedStore).replaceAll(root, "/tmp");
  return { code: status, stdout: recorded(stdout), stderr: recorded(stderr) };
}
