/**
 * Runs the groups of checks and tests one after the other, and ends with the plain line that counts them all.
 *
 *   node scripts/test.ts                   every group
 *   node scripts/test.ts unit              one group; `check,unit` for two
 *   node scripts/test.ts lab PATTERN       the files of a group whose path holds PATTERN
 *
 * DOCKER_MACHINE_TEST_UNTIL is a time in seconds since 1970: what has not ended by then is ended and counted as failed.
 */
import { globSync } from "node:fs";
import * as path from "node:path";
import { performance } from "node:perf_hooks";
import { runGroup } from "./test-group.ts";
import { unrunJob, type Job, type JobResult } from "./test-job.ts";

interface Group {
  /** A command line of the shell for each check. */
  readonly checks?: Readonly<Record<string, string>>;
  /** Globs of test files. */
  readonly files?: readonly string[];
  /** Words in the paths of those that take long: they begin first, so that no processor waits for the last one. */
  readonly first?: readonly string[];
  /** All files in one process: quick, where they start nothing. */
  readonly together?: boolean;
  readonly atOnce: number;
  /** For one test, for one file, for the group. */
  readonly minutes: { readonly test?: number; readonly job: number; readonly group: number };
  readonly keeper?: string;
  /** Whether it runs the two programs that the group `build` makes. */
  readonly built?: boolean;
}

/** Sources are made to programs once, before what runs those. */
const groups: Readonly<Record<string, Group>> = {
  build: {
    checks: { executable: "sh scripts/build.sh executable", package: "sh scripts/build.sh package" },
    atOnce: 2,
    minutes: { job: 5, group: 5 },
  },
  check: {
    checks: {
      types: "tsc -p .",
      lint: "oxlint --type-aware src test scripts",
      format: "oxfmt --check src test scripts",
      "dead code": "knip",
      "the package's shape": "sh scripts/build.sh package && publint --strict",
    },
    atOnce: 2,
    minutes: { job: 5, group: 8 },
  },
  unit: { files: ["src/**/*.test.ts", "test/*.test.ts"], together: true, atOnce: 1, minutes: { test: 1, job: 5, group: 5 } },
  integration: {
    files: [
      "test/{golden,kit,plugin,ssh,cli,safety,differential,completion,runner,guest,team}/**/*.test.ts",
      // Drivers of clouds, on fakes of their clouds.
      "test/drivers/*/**/*.test.ts",
    ],
    first: ["safety/kill", "safety/fake-cloud", "safety/crash-points", "safety/parallel"],
    atOnce: 2,
    minutes: { test: 10, job: 12, group: 20 },
    built: true,
  },
  // The engine that carries the hosts stays up between the files, with every image built.
  lab: {
    files: ["test/{lab,provision,e2e}/**/*.test.ts"],
    first: ["provision/installation", "e2e/variants", "e2e/docker-driver", "e2e/main-job"],
    atOnce: 2,
    minutes: { test: 15, job: 15, group: 40 },
    keeper: "test/lab/keep-open.ts",
    built: true,
  },
  // One file at a time boots machines; the others go beside it.
  machines: {
    files: ["test/drivers/*.test.ts"],
    first: ["real-machines"],
    atOnce: 2,
    minutes: { test: 20, job: 25, group: 30 },
    built: true,
  },
};

/** The counts that promises are stated with take their time. */
const longest = process.env["DOCKER_MACHINE_LONG_TESTS"] === "1" ? 10 : 1;

const [wanted, pattern = ""] = process.argv.slice(2);
const names = wanted === undefined ? Object.keys(groups) : wanted.split(",");
const unknown = names.find((name) => !(name in groups));
if (unknown !== undefined) {
  console.error(`There is no group "${unknown}"; there are ${Object.keys(groups).join(", ")}`);
  process.exit(2);
}

// Status 1 is for a run that came to its end.
process.once("uncaughtException", (error) => {
  console.error(error);
  process.exit(4);
});

/** Which programs tests of the command line run; unless told, the sources, which Node takes ten times as long to start. */
const builtPrograms = {
  DOCKER_MACHINE_PROGRAM: path.resolve("build/docker-machine"),
  DOCKER_MACHINE_NODE_PROGRAM: `${process.execPath} ${path.resolve("dist/docker-machine.cjs")}`,
};

const results = new Map<string, readonly JobResult[]>();
const interrupted = interruption();
for (const name of names) {
  const group = groups[name];
  const jobs = group === undefined ? [] : jobsOf(group);
  if (group === undefined || jobs.length === 0) continue;
  const started = performance.now();
  console.log(`${name}: ${group.together === true ? "one process" : jobs.length}`);
  if (group.built === true && failuresOf("build").length > 0) {
    results.set(
      name,
      jobs.map((job) => unrunJob(job, "the programs were not built")),
    );
  } else {
    const run = { name, jobs, atOnce: group.atOnce, boundMs: minutes(group.minutes.group), keeper: group.keeper };
    results.set(name, await runGroup(run, { say: console.log, signal: interrupted }));
  }
  if (name === "build" && failuresOf("build").length === 0) Object.assign(process.env, { ...builtPrograms, ...process.env });
  console.log(`${name}: ${((performance.now() - started) / 1000).toFixed(0)} s\n`);
}
sayTotals([...results.values()].flat());

function jobsOf(group: Group): Job[] {
  const checks = Object.entries(group.checks ?? {}).map(([name, line]) => checkJob(group, name, line));
  const found = (group.files ?? []).flatMap((glob) => globSync(glob)).filter((file) => file.includes(pattern));
  const isFirst = (file: string): boolean => group.first?.some((word) => file.includes(word)) ?? false;
  const files = [...found.filter(isFirst), ...found.filter((file) => !isFirst(file))];
  if (files.length === 0) return checks;
  const ones = group.together === true ? [testJob(group, "unit", files)] : files.map((file) => testJob(group, file, [file]));
  return [...checks, ...ones];
}

function checkJob(group: Group, name: string, line: string): Job {
  return { name, program: "sh", args: ["-c", line], boundMs: minutes(group.minutes.job), kind: "check" };
}

function testJob(group: Group, name: string, files: readonly string[]): Job {
  const args = [
    ...(group.together === true ? ["--test", "--test-isolation=none"] : []),
    // Whatever still turns when the tests are done is of no interest.
    "--test-force-exit",
    `--test-reporter=${path.resolve("scripts/test-reporter.ts")}`,
    "--test-reporter-destination=stdout",
    `--test-timeout=${minutes(group.minutes.test ?? group.minutes.job)}`,
    ...files,
  ];
  return { name, program: process.execPath, args, boundMs: minutes(group.minutes.job), kind: "tests" };
}

function minutes(count: number): number {
  return count * 60_000 * longest;
}

function failuresOf(name: string): string[] {
  return (results.get(name) ?? []).flatMap(({ failed }) => failed);
}

/** What ends the run before it is done: its time, or who started it. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  const until = Number(process.env["DOCKER_MACHINE_TEST_UNTIL"] ?? 0) * 1000;
  if (until > 0) setTimeout(() => controller.abort(new Error("the time of the run was over")), until - Date.now()).unref();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(signal, () => controller.abort(new Error(`the run was ended by ${signal}`)));
  return controller.signal;
}

function sayTotals(all: readonly JobResult[]): void {
  const failed = all.flatMap((result) => result.failed);
  const skipped = all.flatMap((result) => result.skipped);
  const passed = all.reduce((sum, result) => sum + result.passed, 0);
  if (skipped.length > 0) {
    console.log("Skipped:");
    for (const [reason, tests] of Map.groupBy(skipped, ({ reason }) => reason)) {
      console.log(`  ${reason}`);
      for (const { test } of tests) console.log(`    ${test}`);
    }
  }
  if (failed.length > 0) console.log(["Failed:", ...failed.map((what) => `  ${what}`)].join("\n"));
  // A run that ran nothing has shown nothing.
  const failures = failed.length === 0 && passed === 0 ? 1 : failed.length;
  console.log(`${passed} passed, ${failures} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ""}`);
  process.exitCode = failures > 0 ? 1 : 0;
}
