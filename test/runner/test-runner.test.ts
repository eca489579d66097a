/** The runner of the tests: nothing that hangs, breaks off or cannot begin costs more than its bound, or is taken for a success. */
import assert from "node:assert/strict";
import * as path from "node:path";
import { describe, test } from "node:test";
import { runGroup, type JobGroup } from "../../scripts/test-group.ts";
import { runJob, type Job, type JobContext, type JobResult } from "../../scripts/test-job.ts";
import { thisComputer } from "../../src/system/computer.ts";
import { SystemProcessRunner } from "../../src/system/process.ts";
import { SystemProcessTable } from "../../src/system/process-table.ts";

const boundMs = 5_000;
const computer = thisComputer();
const processes = new SystemProcessTable(computer, new SystemProcessRunner(computer));

interface Ran extends JobResult {
  readonly said: string;
}

function jobOf(fixture: string, env: Record<string, string> = {}): Job {
  const args = [
    ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
    process.execPath,
    "--test-force-exit",
    `--test-reporter=${path.resolve("scripts/test-reporter.ts")}`,
    "--test-reporter-destination=stdout",
    path.join("test/runner/fixtures", fixture),
  ];
  return { name: fixture, program: "env", args, boundMs, kind: "tests" };
}

function listening(): JobContext & { readonly lines: string[] } {
  const lines: string[] = [];
  return { lines, say: (line) => void lines.push(line), signal: new AbortController().signal, exitGraceMs: 300 };
}

async function run(job: Job): Promise<Ran> {
  const context = listening();
  return { ...(await runJob(job, context)), said: context.lines.join("\n") };
}

function childrenIn(said: string): number[] {
  return [...said.matchAll(/child (\d+)/gu)].map(([, pid]) => Number(pid));
}

describe("the runner of the tests", { concurrency: 4 }, () => {
  test("a file that hangs in a test is ended at its bound, keeps what passed, and is named", async () => {
    const { passed, failed, ms } = await run(jobOf("in-a-test.ts"));
    assert.equal(passed, 1);
    assert.equal(failed.length, 1);
    assert.match(failed[0] ?? "", /^in-a-test\.ts hung: ended after 5 s/u);
    assert.ok(ms >= boundMs);
  });

  test("a file that does not end after its tests is ended by force, and what it found stands", async () => {
    const { passed, failed, ms, said } = await run(jobOf("after-its-tests.ts"));
    assert.deepEqual({ passed, failed }, { passed: 1, failed: [] });
    assert.match(said, /after-its-tests\.ts: did not end after its tests; ended by force/u);
    assert.ok(ms < boundMs);
  });

  test("a child that a file leaves behind is ended and waited for by nobody", async () => {
    const { passed, failed, ms, said } = await run(jobOf("with-children.ts"));
    assert.deepEqual({ passed, failed }, { passed: 1, failed: [] });
    assert.ok(ms < boundMs);
    const [child = 0] = childrenIn(said);
    assert.equal(await processes.commandLine(child), undefined);
  });

  test("a file that hangs is ended with its children, in sessions of their own too", async () => {
    const { passed, failed, said } = await run(jobOf("with-children.ts", { HANGS: "1" }));
    assert.equal(passed, 1);
    assert.match(failed.join(), /^with-children\.ts hung: .* while it ran ".*leaves one more and hangs"$/u);
    const children = childrenIn(said);
    assert.equal(children.length, 2);
    for (const child of children) assert.equal(await processes.commandLine(child), undefined);
  });

  test("what a hook threw is said, with its causes, and counts beside the tests that it kept from running", async () => {
    const { passed, failed, said } = await run(jobOf("failing-hook.ts"));
    assert.equal(passed, 0);
    assert.deepEqual(failed.map((name) => name.replace(/^.*: /u, "")).toSorted(), ["a suite", "one", "two"]);
    assert.match(said, /✖ \S+: a suite \(failed running before hook\)\n\s+Error: no gateway\n[^]*caused by Error: no bridge/u);
  });

  test("a file that breaks off has failed", async () => {
    const { passed, failed } = await run(jobOf("breaking-off.ts"));
    assert.equal(passed, 1);
    assert.deepEqual(failed, ["breaking-off.ts: ended before its tests were done (exit status 0)"]);
  });

  test("a file that cannot be loaded has failed, and says why", async () => {
    const { failed, said } = await run(jobOf("unloadable.ts"));
    assert.equal(failed.length, 1);
    assert.match(said, /not today/u);
  });

  test("skipped tests are told with their reasons", async () => {
    const { passed, skipped } = await run(jobOf("skipping.ts"));
    assert.equal(passed, 1);
    assert.deepEqual(
      skipped.map(({ reason }) => reason),
      ["needs a moon", "no reason given"],
    );
  });

  test("a check is heard when it fails, and only then", async () => {
    const check = (line: string): Job => ({ name: "a check", program: "sh", args: ["-c", line], boundMs, kind: "check" });
    const good = await run(check("echo quiet"));
    assert.deepEqual({ passed: good.passed, failed: good.failed, said: good.said }, { passed: 1, failed: [], said: "" });
    const bad = await run(check("echo loud; exit 3"));
    assert.deepEqual({ passed: bad.passed, failed: bad.failed }, { passed: 0, failed: ["a check: exit status 3"] });
    assert.match(bad.said, /^loud\n/u);
  });

  test("a group whose time is over ends what runs and counts what was not run as failed", async () => {
    const jobs = ["in-a-test.ts", "skipping.ts"].map((fixture) => jobOf(fixture));
    const group: JobGroup = { name: "slow", jobs, atOnce: 1, boundMs: 1_000 };
    const results = await runGroup(group, listening());
    assert.deepEqual(
      results.flatMap(({ failed }) => failed).map((what) => what.replace(/, while it ran.*$/u, "")),
      [
        'in-a-test.ts ended: the 1 s of the group "slow" were over',
        'skipping.ts: not run: the 1 s of the group "slow" were over',
      ],
    );
  });

  test("what a group is given to stand on is ended after it, and fails it when it leaves something", async () => {
    const group: JobGroup = { name: "kept", jobs: [jobOf("skipping.ts")], atOnce: 1, boundMs: 60_000 };
    const kept = (keeper: string): Promise<JobResult[]> =>
      runGroup({ ...group, keeper: path.join("test/runner/fixtures", keeper) }, listening());
    assert.deepEqual(
      (await kept("keeper.ts")).flatMap(({ failed }) => failed),
      [],
    );
    process.env["KEEPER_STATUS"] = "3";
    try {
      const failed = (await kept("keeper.ts")).flatMap((result) => result.failed);
      assert.deepEqual(failed, ["test/runner/fixtures/keeper.ts did not clean up (exit status 3)"]);
    } finally {
      delete process.env["KEEPER_STATUS"];
    }
    const unready = (await kept("unloadable.ts")).flatMap(({ failed }) => failed);
    assert.deepEqual(unready, ["skipping.ts: not run: test/runner/fixtures/unloadable.ts ended before it was ready"]);
  });
});
