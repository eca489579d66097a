import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { isMachineError } from "../../errors/machine-error.ts";
import { systemClock, type Clock } from "../../system/clock.ts";
import { listForwards, loopbackForward, openForward } from "./forwards.ts";
import { QmpClient } from "./qmp.ts";

const hurried: Clock = { ...systemClock, sleep: async (ms, signal) => await systemClock.sleep(ms / 1_000, signal) };
const signal = AbortSignal.timeout(600_000);
const greeting = { QMP: { version: {}, capabilities: [] } };

interface Command {
  readonly execute: string;
  readonly arguments?: Record<string, unknown>;
  readonly id: unknown;
}

/** QEMU's end of the monitor, split into small pieces as a socket may do. */
function monitor(answer: (command: Command) => object | undefined): Duplex {
  const say = (value: object): void => {
    const text = `${JSON.stringify(value)}\r\n`;
    for (let at = 0; at < text.length; at += 5) stream.push(text.slice(at, at + 5));
  };
  const stream: Duplex = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      const command = JSON.parse(chunk.toString("utf8")) as Command;
      say({ event: "RTC_CHANGE", timestamp: {} });
      const reply = command.execute === "qmp_capabilities" ? { return: {} } : answer(command);
      if (reply !== undefined) say({ ...reply, id: command.id });
      done();
    },
  });
  say(greeting);
  return stream;
}

test("negotiates, matches answers by their id and passes over events", async () => {
  await using client = await QmpClient.open(
    monitor(() => ({ return: { status: "running" } })),
    systemClock,
    signal,
  );
  assert.equal(await client.runState(), "running");
});

test("a monitor that hung up before it was spoken to is told at once", async () => {
  const stream = monitor(() => undefined);
  stream.on("error", () => {});
  stream.destroy(new Error("read ECONNRESET"));
  await new Promise((resolve) => stream.once("close", resolve));
  await assert.rejects(
    QmpClient.open(stream, systemClock, signal),
    (error) => isMachineError(error, "driver-failed") && /QEMU's monitor ended: read ECONNRESET/u.test(error.message),
  );
});

test("QEMU's refusals come in its own words", async () => {
  await using client = await QmpClient.open(
    monitor(() => ({ error: { class: "GenericError", desc: "State blocked" } })),
    systemClock,
    signal,
  );
  await assert.rejects(
    client.execute("migrate"),
    (error) => isMachineError(error, "driver-failed") && error.message === "QEMU refused migrate: State blocked",
  );
});

test("a monitor that another client holds says nothing, and that is bounded", async () => {
  const silent = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  await assert.rejects(
    QmpClient.open(silent, hurried, signal, 3_000),
    (error) =>
      isMachineError(error, "timeout") && /QEMU's monitor did not answer with its greeting within 3 s/u.test(error.message),
  );
  assert.equal(silent.destroyed, true);
});

test("a monitor that ends in mid-command, and an abort, both end the wait", async () => {
  const stream = monitor(() => undefined);
  await using client = await QmpClient.open(stream, systemClock, signal);
  const waiting = client.execute("query-status", undefined, 60_000);
  stream.destroy();
  await assert.rejects(waiting, (error) => isMachineError(error, "driver-failed"));

  const abort = new AbortController();
  await using other = await QmpClient.open(
    monitor(() => undefined),
    systemClock,
    abort.signal,
  );
  const aborted = other.execute("query-status");
  abort.abort(new Error("stop"));
  await assert.rejects(aborted, /stop/u);
});

test("ports are opened and listed through the human monitor", async () => {
  const table = [
    "VLAN -1 (net0):",
    "  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ",
    "  TCP[ESTABLISHED]   19       127.0.0.1 40001       10.0.2.15    22     0     0",
    "  TCP[HOST_FORWARD]  17       127.0.0.1 22022       10.0.2.15    22     0     0",
    "  UDP[HOST_FORWARD]  18       127.0.0.1  5353       10.0.2.15    53     0     0",
    "  TCP[HOST_FORWARD]  20               *  8080       10.0.2.15    80     0     0",
  ].join("\r\n");
  const lines: unknown[] = [];
  const stream = monitor((command) => {
    const line = command.arguments?.["command-line"];
    lines.push(line);
    return {
      return:
        line === "info usernet"
          ? table
          : line === "hostfwd_add net0 tcp:127.0.0.1:2-:22"
            ? "could not set up host forwarding rule"
            : "",
    };
  });
  await using client = await QmpClient.open(stream, systemClock, signal);
  assert.deepEqual(
    [...(await listForwards(client))].map(([place, { guestPort }]) => [place, guestPort]),
    [
      ["tcp/127.0.0.1:22022", 22],
      ["udp/127.0.0.1:5353", 53],
      ["tcp/0.0.0.0:8080", 80],
    ],
  );
  assert.equal(await openForward(client, loopbackForward(22_023, 2376)), true);
  assert.equal(await openForward(client, loopbackForward(2, 22)), false);
  assert.deepEqual(lines.slice(1), ["hostfwd_add net0 tcp:127.0.0.1:22023-:2376", "hostfwd_add net0 tcp:127.0.0.1:2-:22"]);
});
