import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, test } from "node:test";
import { connectLocal } from "./local-socket.ts";
import { isPortFree, pickFreePort } from "./loopback-port.ts";

const scratch = mkdtempSync(path.join(tmpdir(), "docker-machine-socket-"));
after(() => rmSync(scratch, { recursive: true, force: true }));
const signal = AbortSignal.timeout(600_000);

/** Listens on a socket in a folder by its short name, as a program does that runs there. */
async function listenIn(folder: string): Promise<Server> {
  const former = process.cwd();
  process.chdir(folder);
  try {
    const server = createServer((socket) => socket.end("hello"));
    await new Promise<void>((resolve) => server.listen("s.sock", resolve));
    return server;
  } finally {
    process.chdir(former);
  }
}

test("a socket is found under a name longer than an address holds", async () => {
  const folder = path.join(scratch, "x".repeat(120), "y".repeat(120));
  mkdirSync(folder, { recursive: true });
  const server = await listenIn(folder);
  const socket = await connectLocal(path.join(folder, "s.sock"), 1_000, signal);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  assert.equal(Buffer.concat(chunks).toString(), "hello");
  await new Promise((resolve) => server.close(resolve));
});

test("a socket that is not there, or that nobody serves, is the system's own error", async () => {
  await assert.rejects(connectLocal(path.join(scratch, "none.sock"), 1_000, signal), { code: "ENOENT" });
});

test("an abort ends the attempt", async () => {
  const abort = new AbortController();
  abort.abort(new Error("stop"));
  await assert.rejects(connectLocal(path.join(scratch, "none.sock"), 1_000, abort.signal), /stop/u);
});

test("a port that is listened on is not free; a picked one is, and lies below those of outgoing connections", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  assert.equal(await isPortFree(port), false);
  await new Promise((resolve) => server.close(resolve));
  const picked = await pickFreePort(new Set());
  assert.equal(await isPortFree(picked), true);
  assert.ok(picked >= 20_000 && picked < 32_768);
});
