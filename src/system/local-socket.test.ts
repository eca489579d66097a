import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, test } from "node:test";
import { connectLocal } from "./local-socket.ts";
import { isPortFree, pickFreePort, tryPort } from "./loopback-port.ts";

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

test("a peer that breaks off before anybody listens is no uncaught error", async () => {
  const file = path.join(scratch, "kept-waiting.sock");
  const peer = spawn(process.execPath, [
    "-e",
    `require("net").createServer(() => {}).listen(${JSON.stringify(file)}, () => console.log("up"))`,
  ]);
  await once(peer.stdout, "data");
  // It stays in the queue of a process that does not take it up, and is reset with that.
  peer.kill("SIGSTOP");
  const socket = await connectLocal(file, 1_000, signal);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  peer.kill("SIGKILL");
  await closed;
  assert.equal((socket.errored as NodeJS.ErrnoException | null)?.code, "ECONNRESET");
});

test("a port is free, in use, of no address here, or not to be had", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const udp = createSocket("udp4");
  await new Promise<void>((resolve) => udp.bind(0, "127.0.0.1", resolve));
  const verdicts = await Promise.all([
    tryPort({ protocol: "tcp", address: "127.0.0.1", port }),
    tryPort({ protocol: "udp", address: "127.0.0.1", port: udp.address().port }),
    tryPort({ protocol: "tcp", address: "192.0.2.1", port }),
    tryPort({ protocol: "udp", address: "192.0.2.1", port }),
  ]);
  assert.deepEqual(verdicts, ["in-use", "in-use", "no-such-address", "no-such-address"]);
  await Promise.all([new Promise((resolve) => server.close(resolve)), new Promise<void>((resolve) => udp.close(resolve))]);
  assert.equal(await tryPort({ protocol: "tcp", address: "127.0.0.1", port }), "free");
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
