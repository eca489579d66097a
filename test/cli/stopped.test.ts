/** A machine that is stopped, whose address takes connections and says nothing: what a firewall that drops packets is like. */
import assert from "node:assert/strict";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { openCommandLine, type CommandLine } from "./command-line.ts";

let shell: CommandLine;
let server: Server;
const sockets = new Set<Socket>();

before(async () => {
  shell = await openCommandLine();
  server = createServer((socket) => void sockets.add(socket.on("error", () => {}))).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await shell.ok("create -d none --url tcp://127.0.0.1:2 seed");
  const record = JSON.parse((await shell.recordText("seed")).replaceAll("machines/seed", "machines/still")) as { Driver: object };
  const own = { MachineName: "still", IPAddress: "127.0.0.1", EnginePort: port, SSHPort: 2 };
  // No process of this id runs.
  const qemu = { InstanceId: "c0ffee00-0000-4000-8000-000000000000", ImageDigest: "", Accelerator: "tcg" };
  const driver = { ...record.Driver, ...own, ...qemu };
  await shell.addRecord("still", JSON.stringify({ ...record, Driver: driver, DriverName: "qemu", Name: "still" }));
});

after(async () => {
  for (const socket of sockets) socket.destroy();
  server.close();
  await shell[Symbol.asyncDispose]();
});

/** Far more than it takes, far less than waiting for the engine does. */
const boundMs = 9_000;

async function soon(words: readonly string[], env: Record<string, string> = {}) {
  const startedMs = performance.now();
  const outcome = await shell.run(words, { env });
  const tookMs = performance.now() - startedMs;
  assert.ok(tookMs < boundMs, `${words.join(" ")} took ${Math.round(tookMs)} ms`);
  return { ...outcome, tookMs };
}

const start = "Hint: Start it with: docker-machine start still\n";

for (const [words, code, stdout, stderr] of [
  [["ls", "--filter", "name=still", "-f", "{{.State}}|{{.URL}}|{{.DockerVersion}}|{{.Error}}"], 0, "Stopped||Unknown|\n", ""],
  [["ls", "-t", "1", "--filter", "name=still", "-f", "{{.State}}"], 0, "Stopped\n", ""],
  [["url", "still"], 1, "", `Host is not running\n${start}`],
  [["env", "still"], 1, "", `Error checking TLS connection: Host is not running\n${start}`],
  [["config", "still"], 1, "", `Error running connection boilerplate: Host is not running\n${start}`],
  [["version", "still"], 1, "", `Unable to query docker version: Host is not running\n${start}`],
] as const) {
  test(`${words.join(" ")} of a stopped machine: soon, in 0.16.2's words, with the way out`, async (context) => {
    const { tookMs, ...outcome } = await soon(words);
    context.diagnostic(`${Math.round(tookMs)} ms`);
    assert.deepEqual(outcome, { code, stdout, stderr });
  });
}

test("active beside a stopped machine: soon, and never a time-out", async () => {
  const { code, stderr } = await soon(["active"], { DOCKER_HOST: "tcp://192.0.2.1:2376" });
  assert.deepEqual([code, stderr.split("\n")[0]], [1, "No active host found"]);
});
