import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { test } from "node:test";
import { acceptsConnections, greetingOf } from "./tcp.ts";

const host = "127.0.0.1";
const longMs = 60_000;
const shortMs = 50;
const never = new AbortController().signal;

async function serve(onConnection: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => {
    // Whoever only knocks resets the connection.
    socket.on("error", () => {});
    onConnection(socket);
  }).listen(0, host);
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

test("a port that answers is told from one that does not, and what it says is heard", async () => {
  const { server, port } = await serve((socket) => socket.end("SSH-2.0-lab\r\n"));
  assert.equal(await acceptsConnections(host, port, longMs, never), true);
  assert.equal(await greetingOf(host, port, longMs, never), "SSH-2.0-lab\r\n");
  server.close();
  await once(server, "close");
  assert.equal(await acceptsConnections(host, port, longMs, never), false);
  assert.equal(await greetingOf(host, port, longMs, never), "");
});

test("silence is waited for as long as was said, and no longer than the signal", async () => {
  const sockets: Socket[] = [];
  const { server, port } = await serve((socket) => sockets.push(socket));
  assert.equal(await greetingOf(host, port, shortMs, never), "");
  const stop = new AbortController();
  const greeting = greetingOf(host, port, longMs, stop.signal);
  await once(server, "connection");
  stop.abort(new Error("enough"));
  await assert.rejects(greeting, /enough/u);
  await assert.rejects(acceptsConnections(host, port, longMs, stop.signal), /enough/u);
  for (const socket of sockets) socket.destroy();
  server.close();
});

test("a server that hangs up without a word has no greeting", async () => {
  const { server, port } = await serve((socket) => socket.destroy());
  assert.equal(await greetingOf(host, port, longMs, never), "");
  server.close();
});
