import assert from "node:assert/strict";
import { test } from "node:test";
import { MachineError, isMachineError } from "../errors/machine-error.ts";
import type { Clock } from "../system/clock.ts";
import { hopelessMs, waitForSsh, type WaitForSshOptions } from "./connect.ts";
import type { SshExecutor, SshResult, SshRunOptions } from "./executor.ts";
import { SshUnreachableError, type UnreachableReason } from "./ssh-errors.ts";

/** Time that passes only in sleeps and where a test says so. */
class TestClock implements Clock {
  #ms = 0;

  now(): Date {
    return new Date(this.#ms);
  }

  monotonicMs(): number {
    return this.#ms;
  }

  pass(ms: number): void {
    this.#ms += ms;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    // A bound is given up when what it bounds is done, and no time has passed.
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
    this.#ms += ms;
  }
}

/** An executor whose commands and logins have one outcome. */
class OneOutcome implements SshExecutor {
  readonly roundTrips = 0;
  readonly timeouts: (number | undefined)[] = [];
  logins = 0;
  closed = 0;
  readonly #outcome: () => number;

  constructor(outcome: () => number) {
    this.#outcome = outcome;
  }

  async connect(): Promise<void> {
    this.logins += 1;
    this.#outcome();
  }

  async run(_command: string, options?: SshRunOptions): Promise<SshResult> {
    this.timeouts.push(options?.timeoutMs);
    return { status: this.#outcome(), stdout: Buffer.of(), stderr: Buffer.of() };
  }

  async session(): Promise<number> {
    return 0;
  }

  async close(): Promise<void> {
    this.closed += 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function failing(code: MachineError["code"], clock?: TestClock, tookMs = 0): OneOutcome {
  return new OneOutcome(() => {
    clock?.pass(tookMs);
    throw new MachineError(code, `it is ${code}`, { hint: `mend ${code}` });
  });
}

function waiting(
  executors: readonly OneOutcome[],
  changes: Partial<WaitForSshOptions> = {},
): { opened: OneOutcome[]; result: Promise<SshExecutor> } {
  const opened: OneOutcome[] = [];
  const open = async (): Promise<SshExecutor> => {
    const executor = executors[Math.min(opened.length, executors.length - 1)] as OneOutcome;
    opened.push(executor);
    return executor;
  };
  const options = {
    open,
    timeoutMs: 10_000,
    clock: new TestClock(),
    signal: new AbortController().signal,
    retryAuthentication: true,
    pollMs: 1_000,
  };
  return { opened, result: waitForSsh({ ...options, ...changes }) };
}

test("the executor that answered is given back open; the failed ones are closed", async () => {
  const executors = [failing("ssh-unreachable"), failing("ssh-closed"), failing("ssh-authentication"), new OneOutcome(() => 0)];
  const { result } = waiting(executors);
  assert.equal(await result, executors[3]);
  assert.deepEqual(
    executors.map(({ closed }) => closed),
    [1, 1, 1, 0],
  );
});

test("of a machine that is up the login is enough: it is asked for no command", async () => {
  const executor = new OneOutcome(() => 0);
  assert.equal(await waiting([executor], { isUp: true }).result, executor);
  assert.deepEqual([executor.logins, executor.timeouts, executor.closed], [1, [], 0]);
});

test("waiting ends with its time, and says what was wrong last", async () => {
  const { opened, result } = waiting([failing("ssh-unreachable")]);
  await assert.rejects(result, (error: MachineError) => {
    assert.equal(error.code, "timeout");
    assert.equal(error.message, "SSH did not become available within 10 s. Last error: it is ssh-unreachable");
    assert.equal(error.hint, "mend ssh-unreachable");
    return isMachineError(error.cause, "ssh-unreachable");
  });
  assert.equal(opened.length, 10);
});

test("a last attempt that our own time cut off does not hide what was wrong before", async () => {
  const clock = new TestClock();
  const { result } = waiting([failing("ssh-unreachable"), failing("timeout", clock, 20_000)], { clock });
  await assert.rejects(result, /Last error: it is ssh-unreachable/u);
});

test("each attempt gets only the time that is left", async () => {
  const clock = new TestClock();
  const executor = failing("ssh-unreachable", clock, 2_000);
  await assert.rejects(waiting([executor], { clock }).result);
  assert.deepEqual(executor.timeouts, [10_000, 7_000, 4_000, 1_000]);
});

for (const code of ["host-key-mismatch", "ssh-key-unusable", "usage"] as const) {
  test(`${code} is not waited for`, async () => {
    const { opened, result } = waiting([failing(code)]);
    await assert.rejects(result, (error) => isMachineError(error, code));
    assert.equal(opened.length, 1);
    assert.equal(opened[0]?.closed, 1);
  });
}

test("a refused login is final for a machine that has been set up", async () => {
  await assert.rejects(waiting([failing("ssh-authentication")], { retryAuthentication: false }).result, (error) =>
    isMachineError(error, "ssh-authentication"),
  );
});

test("an abort gives its reason", async () => {
  const reason = new Error("stop");
  await assert.rejects(waiting([failing("ssh-unreachable")], { signal: AbortSignal.abort(reason) }).result, reason);
});

test("attempts are told", async () => {
  const told: string[] = [];
  const { result } = waiting([failing("ssh-unreachable"), new OneOutcome(() => 0)], {
    onAttempt: (error) => told.push((error as Error).message),
  });
  await result;
  assert.deepEqual(told, ["it is ssh-unreachable"]);
});

function unreachableFor(reason: UnreachableReason): OneOutcome {
  return new OneOutcome(() => {
    throw new SshUnreachableError(reason, `it is ${reason}`, {});
  });
}

for (const [reason, isUp, whole] of [
  ["unknown-host", false, false],
  ["unknown-host", true, false],
  ["refused", true, false],
  ["not-ssh", true, false],
  ["refused", false, true],
  ["timed-out", true, true],
  ["hung-up", true, true],
] as const) {
  const name = isUp ? "a machine that is there" : "a machine that comes up";
  test(`${reason} of ${name} is waited for ${whole ? "as long as it takes" : "for seconds"}`, async () => {
    const clock = new TestClock();
    const bounds = new Set<number>();
    const onAttempt = (_error: unknown, boundMs: number): void => void bounds.add(boundMs);
    const { result } = waiting([unreachableFor(reason)], { clock, isUp, timeoutMs: 180_000, onAttempt });
    await assert.rejects(result, (error: MachineError) => error.code === (whole ? "timeout" : "ssh-unreachable"));
    assert.equal(clock.monotonicMs(), whole ? 180_000 : hopelessMs);
    assert.deepEqual([...bounds], [whole ? 180_000 : hopelessMs], "what is told is how long it takes");
  });
}

for (const [what, executor] of [
  ["a refused login", failing("ssh-authentication")],
  ["a server that has counted too many connections", unreachableFor("refused-for-now")],
] as const) {
  test(`${what} is tried again only after a pause that lets the server forget`, async () => {
    const { opened, result } = waiting([executor], { timeoutMs: 60_000 });
    await assert.rejects(result);
    assert.equal(opened.length, 10);
  });
}
