import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { isMachineError } from "../../errors/machine-error.ts";
import { systemClock, type Clock } from "../../system/clock.ts";
import { GuestAgent, GuestAgentExecutor } from "./guest-agent.ts";

/** Bounds pass a thousand times as fast. */
const hurried: Clock = {
  now: () => new Date(0),
  monotonicMs: () => performance.now() * 1_000,
  sleep: async (ms, signal) => await systemClock.sleep(ms / 1_000, signal),
};

type Message = { readonly execute: string; readonly arguments?: Record<string, unknown> };

/** The guest's end of the channel. `answer` gives the lines to send back. */
function agentStream(answer: (message: Message) => readonly unknown[]): { readonly stream: Duplex; readonly heard: Message[] } {
  const heard: Message[] = [];
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk
        .toString("latin1")
        .split("\n")
        .filter((text) => text.includes("{"))) {
        const message = JSON.parse(line.replace(/^\u00ff/u, "")) as Message;
        heard.push(message);
        for (const reply of answer(message)) stream.push(`${typeof reply === "string" ? reply : JSON.stringify(reply)}\n`);
      }
      done();
    },
  });
  return { stream, heard };
}

function obedient(exits: Readonly<Record<string, unknown>>, pollsUntilEnd = 0): (message: Message) => readonly unknown[] {
  let polls = 0;
  return (message) => {
    if (message.execute === "guest-sync-delimited") return [{ return: message.arguments?.["id"] }];
    if (message.execute === "guest-exec") return [{ return: { pid: 7 } }];
    return [{ return: (polls += 1) > pollsUntilEnd ? { exited: true, ...exits } : { exited: false } }];
  };
}

const options = { clock: hurried, signal: AbortSignal.timeout(600_000), timeoutMs: 1_000_000 };

test("a command is run by the guest's shell; its input, output and status come through, however binary", async () => {
  const bytes = Buffer.from([0, 255, 10, 200]);
  const { stream, heard } = agentStream(
    obedient({ exitcode: 3, "out-data": bytes.toString("base64"), "err-data": Buffer.from("oh").toString("base64") }, 2),
  );
  await using agent = await GuestAgent.open(stream, options);
  const seen: Buffer[] = [];
  const result = await agent.run("cat; exit 3", { stdin: bytes, onStdout: (chunk) => seen.push(chunk) });
  assert.deepEqual([result.status, result.stdout, result.stderr.toString()], [3, bytes, "oh"]);
  assert.deepEqual(seen, [bytes]);
  const exec = heard.find((message) => message.execute === "guest-exec");
  assert.deepEqual(exec?.arguments, {
    path: "/bin/sh",
    arg: ["-c", "cat; exit 3"],
    "capture-output": true,
    "input-data": bytes.toString("base64"),
  });
  assert.equal(heard.filter((message) => message.execute === "guest-exec-status").length, 3);
});

test("a program that was ended by a signal has the status a shell would give it", async () => {
  const { stream } = agentStream(obedient({ signal: 9 }));
  await using agent = await GuestAgent.open(stream, options);
  assert.equal((await agent.run("kill -9 $$")).status, 137);
});

test("late answers to the synchronization and complaints about its sentinel are not taken for answers", async () => {
  const stale = [{ return: 1 }, { error: { class: "GenericError", desc: "JSON parse error, stray '\u00ff'" } }, "torn}{line"];
  const well = obedient({ exitcode: 0 });
  const { stream } = agentStream((message) => [...stale, ...well(message)]);
  await using agent = await GuestAgent.open(stream, options);
  assert.equal((await agent.run("true")).status, 0);
});

test("commands take turns although they are asked for at once", async () => {
  let pid = 0;
  const { stream } = agentStream((message) => {
    if (message.execute === "guest-sync-delimited") return [{ return: message.arguments?.["id"] }];
    if (message.execute === "guest-exec") return [{ return: { pid: (pid += 1) } }];
    return [{ return: { exited: true, exitcode: message.arguments?.["pid"] } }];
  });
  await using agent = await GuestAgent.open(stream, options);
  const statuses = await Promise.all([1, 2, 3].map(async () => (await agent.run("true")).status));
  assert.deepEqual(new Set(statuses), new Set([1, 2, 3]));
});

test("an agent that never answers, a guest that goes away, and a command that never ends are told apart", async () => {
  await assert.rejects(
    GuestAgent.open(agentStream(() => []).stream, { ...options, timeoutMs: 2_000 }),
    (error) => isMachineError(error, "timeout") && /did not answer at all within 2 s/u.test(error.message),
  );

  const gone = agentStream(obedient({})).stream;
  await using agent = await GuestAgent.open(gone, options);
  const running = agent.execute("guest-ping");
  gone.destroy();
  await assert.rejects(
    running,
    (error) => isMachineError(error, "driver-failed") && /connection to The guest agent ended/iu.test(error.message),
  );

  await using endless = await GuestAgent.open(agentStream(obedient({}, Number.POSITIVE_INFINITY)).stream, options);
  await assert.rejects(
    endless.run("sleep inf", { timeoutMs: 3_000 }),
    (error) => isMachineError(error, "timeout") && /within 3 s/u.test(error.message),
  );
});

test("what the agent refuses is told in its own words", async () => {
  const { stream } = agentStream((message) =>
    message.execute === "guest-exec"
      ? [{ error: { desc: "Command guest-exec has been disabled" } }]
      : [{ return: message.arguments?.["id"] }],
  );
  await using agent = await GuestAgent.open(stream, options);
  await assert.rejects(
    agent.run("true"),
    (error) => isMachineError(error, "driver-failed") && /has been disabled/u.test(error.message),
  );
});

test("as an executor it counts round trips and has no sessions", async () => {
  const executor = new GuestAgentExecutor(await GuestAgent.open(agentStream(obedient({ exitcode: 0 })).stream, options));
  await executor.run("true");
  await executor.run("true");
  assert.equal(executor.roundTrips, 2);
  await assert.rejects(executor.session({ command: undefined, terminal: "auto" }), (error) =>
    isMachineError(error, "driver-unsupported"),
  );
  await executor.close();
});
