import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { gobEmpty, gobInt, gobSlice, gobString, gobUint, type GobType } from "../gob/types.ts";
import { RpcClient } from "./client.ts";
import type { RpcMethod } from "./messages.ts";
import type { RpcError } from "./rpc-error.ts";
import { RpcServer, type RpcHandler } from "./server.ts";

const method = <A, R>(argument: GobType<A>, reply: GobType<R>): RpcMethod<A, R> => ({ argument, reply });
const echo = method(gobString, gobString);
const nothing = method(gobEmpty, gobEmpty);

interface Pair {
  readonly client: RpcClient;
  readonly server: RpcServer;
  /** Delivers all bytes under way in both directions, cut into pieces. */
  deliver(pieceBytes?: number): Promise<void>;
  readonly state: { closed: boolean; protocolError: RpcError | undefined };
}

function connect(service: Record<string, RpcHandler>): Pair {
  const toServer: Uint8Array[] = [];
  const toClient: Uint8Array[] = [];
  const state: Pair["state"] = { closed: false, protocolError: undefined };
  const server = new RpcServer({
    services: { Echo: service },
    send: (bytes) => toClient.push(bytes),
    close: () => (state.closed = true),
    errorText: (thrown) => (thrown as Error).message,
  });
  const client = new RpcClient({
    send: (bytes) => toServer.push(bytes),
    onProtocolError: (error) => (state.protocolError = error),
  });
  const deliver = async (pieceBytes = 7): Promise<void> => {
    while (toServer.length + toClient.length > 0) {
      const up = Buffer.concat(toServer.splice(0));
      for (let at = 0; at < up.length; at += pieceBytes) server.receive(up.subarray(at, at + pieceBytes));
      await new Promise(setImmediate);
      const down = Buffer.concat(toClient.splice(0));
      for (let at = 0; at < down.length; at += pieceBytes) client.receive(down.subarray(at, at + pieceBytes));
    }
  };
  return { client, server, deliver, state };
}

/** What became of a promise, without waiting beyond the test. */
const outcome = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => value,
    (error: RpcError) => `${error.kind}: ${error.message}`,
  );

test("each of many calls gets its own answer, in whatever order they come", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ text: fc.string(), fails: fc.boolean(), turn: fc.nat(5) }), { maxLength: 20 }),
      fc.integer({ min: 1, max: 50 }),
      async (calls, pieceBytes) => {
        let next = 0;
        const handle = async (text: unknown): Promise<unknown> => {
          const { turn, fails } = calls[next++] ?? { turn: 0, fails: false };
          for (let left = turn; left > 0; left--) await Promise.resolve();
          if (fails) throw new Error(`no ${String(text)}`);
          return text;
        };
        const pair = connect({ Say: { ...(echo as RpcMethod), handle } });
        const answers = Promise.all(calls.map(({ text }) => outcome(pair.client.call("Echo.Say", echo, text))));
        await pair.deliver(pieceBytes);
        assert.deepEqual(
          await answers,
          calls.map(({ text, fails }) => (fails ? `remote: no ${text}` : text)),
        );
      },
    ),
    { numRuns: 40 },
  );
});

test("a quick call overtakes a slow one", async () => {
  let release = (): void => {};
  const slow = new Promise<unknown>((resolve) => (release = () => resolve({})));
  const pair = connect({ Slow: { ...nothing, handle: () => slow }, Quick: { ...nothing, handle: async () => ({}) } });
  const order: string[] = [];
  const first = pair.client.call("Echo.Slow", nothing, {}).then(() => order.push("slow"));
  const second = pair.client.call("Echo.Quick", nothing, {}).then(() => order.push("quick"));
  await pair.deliver();
  await second;
  release();
  await pair.deliver();
  await new Promise(setImmediate);
  await pair.deliver();
  await first;
  assert.deepEqual(order, ["quick", "slow"]);
});

test("what the server lacks is said in Go's words, and the connection goes on", async () => {
  const pair = connect({ Say: { ...(echo as RpcMethod), handle: async (text) => text } });
  const answers = Promise.all(
    ["Echo.Shout", "Other.Say", "nodot", "Echo.Say", "Echo.toString"].map((name) => outcome(pair.client.call(name, echo, "x"))),
  );
  await pair.deliver();
  assert.deepEqual(await answers, [
    "remote: rpc: can't find method Echo.Shout",
    "remote: rpc: can't find service Other.Say",
    "remote: rpc: service/method request ill-formed: nodot",
    "x",
    "remote: rpc: can't find method Echo.toString",
  ]);
});

test("an argument of another type is answered, and then the connection ends", async () => {
  const pair = connect({ Count: { ...(method(gobInt, gobInt) as RpcMethod), handle: async (count) => count } });
  const answer = outcome(pair.client.call("Echo.Count", echo, "many"));
  await pair.deliver();
  assert.equal(await answer, "remote: gob: string received where int was expected");
  assert.equal(pair.state.closed, true);
});

test("an answer of another type fails its call and all others", async () => {
  const pair = connect({ Say: { ...(echo as RpcMethod), handle: async () => "text" } });
  const wrong = outcome(pair.client.call("Echo.Say", method(gobString, gobInt), "x"));
  const other = outcome(pair.client.call("Echo.Say", echo, "x"));
  await pair.deliver();
  assert.equal(await wrong, "protocol: reading body gob: string received where int was expected");
  assert.equal(await other, "protocol: reading body gob: string received where int was expected");
  assert.equal(pair.state.protocolError?.kind, "protocol");
  assert.equal(await outcome(pair.client.call("Echo.Say", echo, "x")), "closed: connection is shut down");
});

test("no call is sent before the server has answered the opening line", () => {
  const sent: string[] = [];
  const client = new RpcClient({
    send: (bytes) => sent.push(Buffer.from(bytes).toString("latin1")),
    onProtocolError: assert.fail,
  });
  void client.call("Echo.Say", echo, "x").catch(() => {});
  assert.deepEqual(sent, ["CONNECT /_goRPC_ HTTP/1.0\n\n"]);
  client.receive(Buffer.from("HTTP/1.0 200 Connected to Go RPC\n\n"));
  assert.match(sent.at(-1) ?? "", /Echo\.Say/u);
});

test("calls under way when the connection ends fail as in Go", async () => {
  const pair = connect({});
  const call = outcome(pair.client.call("Echo.Say", echo, "x"));
  pair.client.end();
  assert.equal(await call, "closed: unexpected EOF");
});

test("an answer that nobody waits for is skipped", async () => {
  const list = method(gobEmpty, gobSlice(gobString));
  const bytes: Uint8Array[] = [];
  const server = new RpcServer({
    services: { Echo: { List: { ...(list as RpcMethod), handle: async () => ["a"] } } },
    send: (sent) => bytes.push(sent),
    close: assert.fail,
    errorText: String,
  });
  const asker = new RpcClient({ send: (sent) => server.receive(sent), onProtocolError: assert.fail });
  const asked = outcome(asker.call("Echo.List", list, {}));
  await new Promise(setImmediate);
  const other = connect({});
  other.client.receive(Buffer.concat(bytes));
  assert.equal(other.state.protocolError, undefined);
  asker.end();
  assert.equal(await asked, "closed: unexpected EOF");
});

test("a value that does not fit is refused before anything is sent", async () => {
  const pair = connect({
    Say: { ...(echo as RpcMethod), handle: async (text) => text },
    Bad: { ...(method(gobEmpty, gobUint) as RpcMethod), handle: async () => -1 },
  });
  await assert.rejects(pair.client.call("Echo.Say", method(gobUint, gobString), -1), /does not fit/u);
  const bad = outcome(pair.client.call("Echo.Bad", method(gobEmpty, gobUint), {}));
  const good = outcome(pair.client.call("Echo.Say", echo, "still here"));
  await pair.deliver();
  assert.match(String(await bad), /remote: gob: -1 does not fit/u);
  assert.equal(await good, "still here");
});

test("anything but the expected HTTP answer is a protocol error", () => {
  for (const [answer, message] of [
    ["HTTP/1.1 404 Not Found\r\n\r\n", /unexpected HTTP response: HTTP\/1\.1 404 Not Found/u],
    ["SSH-2.0-OpenSSH_9\n\n", /unexpected HTTP response: SSH/u],
    ["x".repeat(9000), /no end of the HTTP head within 8192 bytes/u],
  ] as const) {
    const pair = connect({});
    pair.client.receive(Buffer.from(answer));
    assert.match(pair.state.protocolError?.message ?? "", message);
  }
});

test("the server answers only a CONNECT to its path, as Go does", () => {
  for (const [request, status] of [
    ["GET /_goRPC_ HTTP/1.0\n\n", "405 Method Not Allowed"],
    ["CONNECT / HTTP/1.0\n\n", "404 Not Found"],
    ["CONNECT /_goRPC_ HTTP/1.1\r\nHost: x\r\n\r\n", "200 Connected to Go RPC"],
  ] as const) {
    const sent: Uint8Array[] = [];
    let closed = false;
    const server = new RpcServer({
      services: {},
      send: (bytes) => sent.push(bytes),
      close: () => (closed = true),
      errorText: String,
    });
    server.receive(Buffer.from(request));
    assert.equal(Buffer.concat(sent).toString().split(/\r?\n/u)[0], `HTTP/1.0 ${status}`);
    assert.equal(closed, !status.startsWith("200"));
  }
});

test("noise from the other side ends in a protocol error or a wait, never in anything else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      const pair = connect({});
      pair.client.receive(Buffer.from("HTTP/1.0 200 Connected to Go RPC\n\n"));
      pair.client.receive(noise);
      pair.server.receive(Buffer.from("CONNECT /_goRPC_ HTTP/1.0\n\n"));
      pair.server.receive(noise);
    }),
  );
});
