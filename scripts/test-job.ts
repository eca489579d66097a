/**
 * One process of the test run: a file of tests, or a check. It has a process group of its own and a bound, and nothing of
 * it is left when it is over: a file that hangs, in its tests or after them, costs its bound and not the run.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import type { Readable } from "node:stream";
import { LineSplitter } from "../src/system/line-splitter.ts";
import { notesVariable, type TestNote } from "./test-notes.ts";

export interface Job {
  /** The file, or what is checked. */
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly boundMs: number;
  /**
   * `tests`: it tells its results test by test, through scripts/test-reporter.ts, and is heard all the time.
   * `check`: it passes or fails as a whole, and is heard when it fails.
   */
  readonly kind: "tests" | "check";
}

export interface Skipped {
  readonly test: string;
  readonly reason: string;
}

export interface JobResult {
  readonly name: string;
  readonly ms: number;
  readonly passed: number;
  /** What failed, by name. */
  readonly failed: readonly string[];
  readonly skipped: readonly Skipped[];
}

export interface JobContext {
  /** Hears whole lines. */
  readonly say: (line: string) => void;
  /** Ends the job, which fails with the reason's message. */
  readonly signal: AbortSignal;
  /** How long a process may take to end by itself once its tests are done; 10 s unless told. */
  readonly exitGraceMs?: number;
}

const exitGraceMs = 10_000;

/** Runs to the end or to the bound. Never throws: what goes wrong is a failure of the job. */
export async function runJob(job: Job, context: JobContext): Promise<JobResult> {
  const started = performance.now();
  const run = new JobRun(job, context);
  await run.ended;
  return { name: job.name, ms: performance.now() - started, ...run.results() };
}

/** A job that was not run, and why. */
export function unrunJob(job: Pick<Job, "name">, reason: string): JobResult {
  return { name: job.name, ms: 0, passed: 0, failed: [`${job.name}: not run: ${reason}`], skipped: [] };
}

class JobRun {
  readonly ended: Promise<void>;
  readonly #job: Job;
  readonly #context: JobContext;
  readonly #child: ChildProcess;
  readonly #held: string[] = [];
  readonly #open = new Map<string, number>();
  readonly #failed: string[] = [];
  readonly #skipped: Skipped[] = [];
  #passed = 0;
  #done = false;
  #ending: string | undefined;
  #grace: NodeJS.Timeout | undefined;

  constructor(job: Job, context: JobContext) {
    this.#job = job;
    this.#context = context;
    this.#child = spawn(job.program, job.args, {
      // A group of its own: all of it can be ended at once.
      detached: true,
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      env: { ...process.env, ...(job.kind === "tests" ? { [notesVariable]: "1" } : {}) },
    });
    this.ended = this.#follow();
  }

  results(): Pick<JobResult, "passed" | "failed" | "skipped"> {
    return { passed: this.#passed, failed: this.#failed, skipped: this.#skipped };
  }

  async #follow(): Promise<void> {
    const bound = setTimeout(() => this.#end(`hung: ended after ${inWords(this.#job.boundMs)}`), this.#job.boundMs);
    const onAbort = (): void => this.#end(`ended: ${messageOf(this.#context.signal.reason)}`);
    this.#context.signal.addEventListener("abort", onAbort);
    if (this.#context.signal.aborted) onAbort();
    const read = [
      readLines(this.#child.stdout, (line) => this.#hear(line)),
      readLines(this.#child.stderr, (line) => this.#hear(line)),
      readLines(this.#child.stdio[3] as Readable, (line) => this.#note(JSON.parse(line) as TestNote)),
    ];
    const status = await this.#exit();
    clearTimeout(bound);
    clearTimeout(this.#grace);
    this.#context.signal.removeEventListener("abort", onAbort);
    // What it started and left running would hold the pipes open, and the processor busy.
    endGroup(this.#child.pid);
    await Promise.race([Promise.all(read), pause(1_000)]);
    this.#judge(status);
  }

  #exit(): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#child.once("error", (error) => resolve(error.message));
      this.#child.once("exit", (status, signal) =>
        resolve(status === 0 ? undefined : signal === null ? `exit status ${status}` : signal),
      );
    });
  }

  #hear(line: string): void {
    if (this.#job.kind === "tests") this.#context.say(line);
    else this.#held.push(line);
  }

  #note(note: TestNote): void {
    if (note.kind === "done") {
      this.#done = true;
      this.#grace = setTimeout(() => {
        this.#context.say(`  ${this.#job.name}: did not end after its tests; ended by force`);
        endTree(this.#child.pid);
      }, this.#context.exitGraceMs ?? exitGraceMs);
    } else if (note.kind === "begun") this.#open.set(note.test, (this.#open.get(note.test) ?? 0) + 1);
    else if (note.kind === "ended") this.#open.delete(note.test);
    else if (note.kind === "passed") this.#passed += 1;
    else if (note.kind === "failed") this.#failed.push(note.test);
    else if (note.kind === "skipped") this.#skipped.push(note);
  }

  #end(reason: string): void {
    // Its tests are done: the grace ends it.
    if (this.#done) return;
    this.#ending ??= reason;
    endTree(this.#child.pid);
  }

  #judge(status: string | undefined): void {
    const { name, kind } = this.#job;
    if (this.#ending !== undefined) {
      const last = [...this.#open.keys()].at(-1);
      return this.#fail(`${name} ${this.#ending}${last === undefined ? "" : `, while it ran "${last}"`}`);
    }
    if (kind === "check") {
      if (status === undefined) this.#passed += 1;
      else this.#fail(`${name}: ${status}`);
    } else if (!this.#done) this.#fail(`${name}: ended before its tests were done (${status ?? "exit status 0"})`);
    else if (status !== undefined && status !== "SIGKILL" && this.#failed.length === 0) this.#fail(`${name}: ${status}`);
  }

  #fail(what: string): void {
    for (const line of this.#held) this.#context.say(line);
    this.#context.say(`\n✖ ${what}\n`);
    this.#failed.push(what);
  }
}

/** Kills the process's group, and what descends from it in groups of its own. Does nothing to one that is gone. */
export function endTree(pid: number | undefined): void {
  if (pid === undefined) return;
  for (const descendant of descendantsOf(pid)) kill(descendant);
  endGroup(pid);
}

/** Kills what is left of the group that a process led. */
function endGroup(leader: number | undefined): void {
  if (leader !== undefined) kill(-leader);
}

function kill(target: number): void {
  try {
    process.kill(target, "SIGKILL");
  } catch {
    // Gone already.
  }
}

/** As Linux tells it; elsewhere none. */
function descendantsOf(root: number): number[] {
  const parents = new Map(processIds().map((pid) => [pid, parentOf(pid)]));
  const found = [root];
  for (const ancestor of found) for (const [pid, parent] of parents) if (parent === ancestor) found.push(pid);
  return found.slice(1);
}

function processIds(): number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function parentOf(pid: number): number | undefined {
  try {
    // The program's name stands in brackets and may hold anything.
    return Number(/^.*\) \S (\d+)/su.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1]);
  } catch {
    return undefined;
  }
}

/** Resolves when the stream has ended. A name of a test may hold what other readers take for the end of a line. */
export function readLines(stream: Readable | null, onLine: (line: string) => void): Promise<void> {
  const lines = new LineSplitter(onLine);
  return new Promise((resolve) => {
    stream?.on("data", (chunk: Buffer) => lines.push(chunk));
    stream?.once("error", () => resolve());
    stream?.once("close", () => {
      lines.end();
      resolve();
    });
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

export function inWords(ms: number): string {
  return ms < 60_000 ? `${ms / 1000} s` : `${Math.round(ms / 60_000)} min`;
}

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
