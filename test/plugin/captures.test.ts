/** The recorded connections, replayed: our client against what Go plugins answered, our server against what the Go tool asked. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { GobDecoder } from "../../src/gocompat/gob/decoder.ts";
import { RpcClient } from "../../src/gocompat/netrpc/client.ts";
import { requestType, responseType, type RpcMethod } from "../../src/gocompat/netrpc/messages.ts";
import type { RpcError } from "../../src/gocompat/netrpc/rpc-error.ts";
import { RpcServer, type RpcHandler } from "../../src/gocompat/netrpc/server.ts";
import { methods, type MethodName } from "../../src/plugin/protocol.ts";
import {
  plainOf,
  recordedConnections,
  type RecordedConnection,
  type RecordedDirection,
  type RecordedMessage,
} from "./recorded.ts";

const recorded = recordedConnections();
const pieceBytes = 61;

function methodOf(serviceMethod: string): RpcMethod {
  return methods[serviceMethod.split(".")[1] as MethodName] as RpcMethod;
}

function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += pieceBytes) yield bytes.subarray(start, start + pieceBytes);
}

/** The messages in a stream of bytes, with the values of their bodies. */
function decode(bytes: Uint8Array, headType: typeof requestType | typeof responseType, pick: "argument" | "reply") {
  const decoder = new GobDecoder();
  decoder.push(bytes.subarray(Buffer.from(bytes).indexOf("\n\n") + 2));
  const found: { message: RecordedMessage; value: unknown }[] = [];
  for (;;) {
    const header = decoder.next(headType)?.value as { ServiceMethod: string; Seq: number; Error?: string } | undefined;
    if (header === undefined) break;
    const failed = (header.Error ?? "") !== "";
    const body = decoder.next(failed ? methods.Close.reply : methodOf(header.ServiceMethod)[pick]);
    assert(body !== undefined, "a message without its body");
    found.push({ message: { ...header, body: plainOf(body.value) }, value: body.value });
  }
  assert.equal(decoder.hasPendingBytes, false);
  return found;
}

const requestsOf = (bytes: Uint8Array) => decode(bytes, requestType, "argument");
const responsesOf = (bytes: Uint8Array) => decode(bytes, responseType, "reply");
const mentions = ({ messages }: RecordedDirection, method: string) =>
  messages.some(({ ServiceMethod }) => ServiceMethod.endsWith(method));

test("every recorded stream is decoded", () => {
  assert.equal(recorded.length, 31);
  for (const { name, clientToServer, serverToClient } of recorded) {
    const requests = requestsOf(clientToServer.bytes).map(({ message }) => message);
    const responses = responsesOf(serverToClient.bytes).map(({ message }) => message);
    assert.deepEqual(requests, clientToServer.messages, name);
    assert.deepEqual(responses, serverToClient.messages, name);
  }
});

/** Makes the recorded calls, then feeds the recorded answers. */
async function replayClient({ clientToServer, serverToClient }: RecordedConnection) {
  const sent: Uint8Array[] = [];
  const client = new RpcClient({ send: (bytes) => sent.push(bytes), onProtocolError: assert.fail });
  const calls = requestsOf(clientToServer.bytes).map(({ message, value }) =>
    client.call(message.ServiceMethod, methodOf(message.ServiceMethod), value).then(
      (reply) => ({ reply: plainOf(reply) }),
      (error: RpcError) => ({ error: error.message, kind: error.kind }),
    ),
  );
  for (const piece of piecesOf(serverToClient.bytes)) client.receive(piece);
  client.end();
  return { sent: Buffer.concat(sent), outcomes: await Promise.all(calls) };
}

test("our client makes the recorded calls in the recorded bytes and understands the answers", async () => {
  let sameBytes = 0;
  for (const connection of recorded) {
    const { sent, outcomes } = await replayClient(connection);
    if (mentions(connection.clientToServer, "SetConfigFromFlags")) {
      // Go sends a map's entries in random order and cuts interface values; what they say is the same.
      assert.deepEqual(
        requestsOf(sent).map(({ message }) => message),
        connection.clientToServer.messages,
      );
    } else {
      assert.deepEqual(sent, connection.clientToServer.bytes, connection.name);
      sameBytes++;
    }
    const answers = new Map(connection.serverToClient.messages.map((answer) => [answer.Seq, answer]));
    for (const [sequence, outcome] of outcomes.entries()) {
      assert.deepEqual(outcome, expectedOutcome(answers.get(sequence)), `${connection.name} ${sequence}`);
    }
  }
  assert.equal(sameBytes, 23);
});

function expectedOutcome(answer: RecordedMessage | undefined): unknown {
  if (answer === undefined) return { error: "unexpected EOF", kind: "closed" };
  return answer.Error === "" ? { reply: answer.body } : { error: answer.Error, kind: "remote" };
}

/** Feeds the recorded requests to a server whose handlers answer as recorded, in the recorded order. */
async function replayServer({ clientToServer, serverToClient }: RecordedConnection): Promise<Buffer> {
  const waiting = new Map<string, (() => void)[]>();
  const values = new Map(responsesOf(serverToClient.bytes).map(({ message, value }) => [message.Seq, value]));
  const answers = serverToClient.messages.values();
  const handler = (name: MethodName): RpcHandler => ({
    ...(methods[name] as RpcMethod),
    handle: () =>
      new Promise((resolve, reject) => waiting.set(name, [...(waiting.get(name) ?? []), () => settle(resolve, reject)])),
  });
  let answer: RecordedMessage | undefined;
  const settle = (resolve: (value: unknown) => void, reject: (error: Error) => void): void => {
    if (answer?.Error === "") resolve(values.get(answer.Seq));
    else reject(new Error(answer?.Error));
  };
  const service = Object.fromEntries((Object.keys(methods) as MethodName[]).map((name) => [name, handler(name)]));
  const sent: Uint8Array[] = [];
  const server = new RpcServer({
    services: { RPCServerDriver: service },
    send: (bytes) => sent.push(bytes),
    close: () => assert.fail("the server gave up"),
    errorText: (thrown) => (thrown as Error).message,
  });
  for (const piece of piecesOf(clientToServer.bytes)) server.receive(piece);
  for (answer of answers) {
    const [next, ...later] = waiting.get(answer.ServiceMethod.split(".")[1] ?? "") ?? [];
    waiting.set(answer.ServiceMethod.split(".")[1] ?? "", later);
    next?.();
    await new Promise(setImmediate);
  }
  return Buffer.concat(sent);
}

test("our server understands the recorded calls and answers in the recorded bytes", async () => {
  let sameBytes = 0;
  for (const connection of recorded) {
    const sent = await replayServer(connection);
    if (mentions(connection.serverToClient, "GetCreateFlags")) {
      assert.deepEqual(
        responsesOf(sent).map(({ message }) => message),
        connection.serverToClient.messages,
        connection.name,
      );
    } else {
      assert.deepEqual(sent, connection.serverToClient.bytes, connection.name);
      sameBytes++;
    }
  }
  assert.equal(sameBytes, 12);
});
