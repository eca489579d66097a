/** `doctor` by the program: what it prints, its status, what it costs, and that it ends. Rows are tested beside their code. */
import assert from "node:assert/strict";
import { chmodSync, readFileSync, statSync } from "node:fs";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import * as path from "node:path";
import { after, before, describe, it } from "node:test";
import { misfits, type Schema } from "../support/json-schema.ts";
import { startSshd, whyNot, type TestServer } from "../ssh/real-servers.ts";
import { openCommandLine, type CommandLine } from "./command-line.ts";
import { addSshMachine } from "./ssh-machines.ts";

interface Told {
  readonly machine: string | null;
  readonly check: string;
  readonly state: string;
  readonly fixable: boolean;
}

describe("doctor", { skip: whyNot("sshd") ?? false }, () => {
  let shell: CommandLine;
  let server: TestServer;
  before(async () => {
    shell = await openCommandLine();
    server = await startSshd();
  });
  after(async () => {
    await server.stop();
    await shell[Symbol.asyncDispose]();
  });

  const told = async (...words: string[]): Promise<Told[]> => {
    const { stdout, stderr } = await shell.run(["--output", "json", "doctor", ...words]);
    const schema = JSON.parse(readFileSync("docs/facts.schema.json", "utf8")) as Schema;
    assert.deepEqual(misfits(JSON.parse(stdout), schema.properties?.["doctor"] ?? {}), [], stderr);
    return JSON.parse(stdout) as Told[];
  };

  it("says in one line that all is well, and ends with 0", async () => {
    assert.deepEqual(await shell.run(["doctor"]), {
      code: 0,
      stdout: "Nothing is wrong with this computer and 0 machines.\n",
      stderr: "",
    });
  });

  it("finds what is wrong with each machine, first things first, and ends with 1", async () => {
    await addSshMachine(shell, server, { name: "gone", port: 1 });
    await addSshMachine(shell, server, { name: "nobody", userName: "nosuchuser" });
    await shell.addRecord("broken", "{");
    assert.deepEqual(
      (await told()).map(({ machine, check, state }) => [machine, check, state]),
      [
        ["broken", "record", "fail"],
        ["gone", "ssh-port", "fail"],
        ["nobody", "login", "fail"],
      ],
    );
    const { code, stdout } = await shell.run(["doctor", "gone"]);
    assert.equal(code, 1);
    assert.match(
      stdout,
      /^gone: wrong: ssh-port\n {2}Nothing listens .*\n {2}Because: .*\n {2}Do: .*\n1 finding on 1 of 1 looked at\.\n$/u,
    );
    assert.equal((await told("-v", "gone")).find(({ check }) => check === "login")?.state, "skipped");
    const mistyped = await shell.run(["doctor", "nobody", "gome"]);
    assert.equal(mistyped.code, 4);
    assert.equal(mistyped.stdout, "");
    assert.match(mistyped.stderr, /^Docker machine "gome" does not exist\.[^\n]*\nHint: Did you mean "gone"\?\n$/u);
  });

  it("mends modes, says so before, and finds nothing to do the second time", async () => {
    const certs = path.join(shell.store, "machines", "gone");
    chmodSync(certs, 0o755);
    assert.deepEqual(
      (await told("gone")).map(({ check, fixable }) => [check, fixable]),
      [["folder", true]],
    );
    const fixed = await shell.run(["doctor", "--fix", "gone"]);
    assert.match(fixed.stderr, /^Fixing gone: take the rights of others away from .*machines\/gone$/mu);
    assert.equal(statSync(certs).mode & 0o777, 0o700);
    assert.match(fixed.stdout, /^gone: wrong: ssh-port$/mu);
    assert.doesNotMatch((await shell.run(["doctor", "--fix", "gone"])).stderr, /Fixing/u);
  });

  it("ends within its bounds where nobody answers", async () => {
    const sockets = new Set<Socket>();
    const hole: Server = createServer((socket) => void sockets.add(socket.on("error", () => {})));
    await new Promise<void>((resolve) => hole.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = hole.address() as AddressInfo;
      await addSshMachine(shell, server, { name: "hole", port, enginePort: port });
      const startedMs = performance.now();
      assert.deepEqual(
        (await told("hole")).map(({ check }) => check),
        ["ssh-port"],
      );
      assert.ok(performance.now() - startedMs < 25_000);
    } finally {
      for (const socket of sockets) socket.destroy();
      hole.close();
    }
  });
});
