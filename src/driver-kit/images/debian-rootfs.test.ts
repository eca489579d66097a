import assert from "node:assert/strict";
import { test } from "node:test";
import { isMachineError } from "../../errors/machine-error.ts";
import { reportNothing, type ProgressEvent } from "../../log/event.ts";
import { FakeClock } from "../../system/fake-clock.ts";
import type { ProcessRunner, RunResult } from "../../system/process.ts";
import { buildRootfs, mmdebstrapArguments, type RootfsRecipe } from "./debian-rootfs.ts";

const recipe: RootfsRecipe = {
  suite: "trixie",
  packages: ["systemd", "docker.io"],
  prepare: "",
  finish: 'echo "$1"',
  mirror: "",
};
const signal = AbortSignal.timeout(600_000);
const clock = new FakeClock();

/** A runner that has mmdebstrap end as told. */
function runner(result: Partial<RunResult> & { readonly installed?: boolean }): ProcessRunner {
  return {
    find: async () => ((result.installed ?? true) ? "/usr/bin/mmdebstrap" : undefined),
    spawn: () => assert.fail("nothing is spawned"),
    run: async (_program, _args, options) => {
      if (result.stderr !== undefined) options?.onStderr?.(result.stderr);
      return { status: 0, signal: null, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), ...result };
    },
  };
}

test("the packages of a suite go into an archive, from Debian's mirrors or a given one", () => {
  const args = mmdebstrapArguments(recipe, "out.tar");
  assert.ok(args.includes("--include=systemd,docker.io"));
  assert.ok(args.includes('--customize-hook=echo "$1"'));
  assert.deepEqual(args.slice(-2), ["trixie", "out.tar"]);
  assert.deepEqual(mmdebstrapArguments({ ...recipe, mirror: "http://mirror.invalid/debian" }, "out.tar").slice(-3), [
    "trixie",
    "out.tar",
    "http://mirror.invalid/debian",
  ]);
});

test("its parts are reported as phases, each ending where the next begins", async () => {
  const seen: string[] = [];
  const stderr = Buffer.from("I: running apt-get update...\nI: installing remaining packages inside the chroot...\nI: done\n");
  await buildRootfs(recipe, "out.tar", {
    processes: runner({ stderr }),
    report: (event) => "phase" in event && seen.push(`${event.type} ${event.phase}`),
    clock,
    signal,
  });
  assert.deepEqual(seen, [
    "phase-started Installing a base system",
    "phase-finished Installing a base system",
    "phase-started Installing the packages",
    "phase-finished Installing the packages",
  ]);
});

test("its steps are debug lines, its first error is the reason", async () => {
  const lines: string[] = [];
  const report = (event: ProgressEvent): void => void (event.type === "log" && lines.push(event.text));
  const stderr = Buffer.from(
    "I: running apt-get update...\nErr:1 http://mirror.invalid trixie InRelease\n  Could not resolve 'mirror.invalid'\nE: Unable to locate package docker.io\nE: apt-get failed\n",
  );
  await assert.rejects(
    buildRootfs(recipe, "out.tar", { processes: runner({ status: 25, stderr }), report, clock, signal }),
    (error) =>
      isMachineError(error, "image-unusable") &&
      /packages: http:\/\/mirror\.invalid trixie InRelease: Could not resolve 'mirror\.invalid'$/u.test(error.message),
  );
  assert.deepEqual(lines, ["running apt-get update..."]);
});

test("a user without ids for a name space is told how to get them", async () => {
  const stderr = Buffer.from("E: unable to pick chroot mode automatically (use --mode for manual selection)\n");
  await assert.rejects(
    buildRootfs(recipe, "out.tar", { processes: runner({ status: 25, stderr }), report: reportNothing, clock, signal }),
    (error) => isMachineError(error, "image-unusable") && /usermod --add-subuids/u.test(error.hint ?? ""),
  );
});

test("where it is not installed the error says how to install it", async () => {
  await assert.rejects(
    buildRootfs(recipe, "out.tar", { processes: runner({ installed: false }), report: reportNothing, clock, signal }),
    (error) => isMachineError(error, "program-missing") && /apt-get install --yes mmdebstrap/u.test(error.hint ?? ""),
  );
});
