/** `ls` as people see it, on terminals of 60 and 160 columns, and as programs read it, beside an engine that is silent. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { quoteCommand } from "../../src/ssh/shell-quote.ts";
import { Program } from "../e2e/program.ts";

const limitMs = 60_000;
const escape = "\u001B";

/** Takes connections and says nothing. */
let silent: Server;
let program: Program;

before(async () => {
  silent = createServer((socket) => void socket.on("error", () => {}));
  await once(silent.listen(0, "127.0.0.1"), "listening");
  program = await Program.open();
  const { port } = silent.address() as AddressInfo;
  await program.ok(["create", "-d", "none", "--url", "tcp://127.0.0.1:1", "web"]);
  await program.ok(["create", "-d", "none", "--url", `tcp://127.0.0.1:${port}`, "mute"]);
});

after(async () => {
  silent.close();
  silent.unref();
  await program[Symbol.asyncDispose]();
});

/** All that was written to a terminal of this width. */
async function onTerminal(columns: number, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const command = `stty cols ${columns} rows 24; exec ${quoteCommand([...program.commandLine, ...args])}`;
  const child = spawn("script", ["-qec", command, "/dev/null"], {
    env: program.environment({ TERM: "xterm", ...env }),
    stdio: "pipe",
    timeout: limitMs,
  });
  let shown = "";
  child.stdout.on("data", (chunk: Buffer) => (shown += chunk.toString()));
  await once(child, "close");
  return shown.replaceAll("\r", "");
}

/** What is left on the terminal in the end, without colours. */
function finalLines(shown: string): string[] {
  const last = shown.slice(shown.lastIndexOf("\u001B[J") + 1).replace(/^\[J/u, "");
  return last
    .replaceAll(new RegExp(`${escape}\\[\\d*m`, "gu"), "")
    .trimEnd()
    .split("\n");
}

describe("ls on a terminal", () => {
  it("shows who has answered while another is silent, then says who was", async () => {
    const shown = await onTerminal(160, ["ls", "-t", "2"]);
    const before = shown.slice(0, shown.indexOf("Timeout"));
    assert.ok(before.includes(`mute   none     ${escape}[2m...${escape}[0m`), shown);
    assert.ok(before.includes(`web    none     ${escape}[32mRunning`), shown);
    assert.match(
      finalLines(shown).join("\n"),
      /^mute +none +Timeout +neither its engine at tcp:\/\/127\.0\.0\.1:\d+ nor its driver answered within 2 s$/mu,
    );
  });

  for (const columns of [60, 160])
    it(`fits ${columns} columns, without colours where they are not wanted`, async () => {
      const shown = await onTerminal(columns, ["ls", "-t", "1"], { NO_COLOR: "1" });
      assert.doesNotMatch(shown, new RegExp(`${escape}\\[\\d*m`, "u"));
      const lines = finalLines(shown);
      assert.ok(lines.length >= 3, shown);
      for (const line of lines) assert.ok(line.length < columns, line);
      assert.match(lines.join(" ").replaceAll(/ +/gu, " "), /nor its driver answered within 1 s/u);
    });

  it("says how to begin where there is nothing yet", async () => {
    const shown = await onTerminal(80, ["-s", `${program.folder}/nothing`, "ls"]);
    assert.match(shown, /^No machines yet\..*\n +docker-machine create --driver docker NAME$/mu);
  });

  it("is 0.16.2's with MACHINE_COMPAT, and in pipes", async () => {
    const piped = await program.ok(["ls", "-t", "1"]);
    assert.match(
      piped,
      /^NAME {3}ACTIVE {3}DRIVER {3}STATE {5}URL +SWARM {3}DOCKER {4}ERRORS\nmute +none {5}Timeout +\nweb +- +none {5}Running /u,
    );
    assert.equal(await onTerminal(160, ["ls", "-t", "1"], { MACHINE_COMPAT: "0.16" }), piped);
  });
});

describe("ls --watch", () => {
  it("tells programs of each machine, then of what changes, until it is interrupted", async () => {
    await program.ok(["rm", "-y", "mute"]);
    const [file, ...args] = program.commandLine;
    const child = spawn(file, [...args, "ls", "--watch", "--output", "json"], { env: program.environment(), timeout: limitMs });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async (): Promise<{ type?: string; name?: string }> =>
      JSON.parse(String((await lines.next()).value)) as { type?: string; name?: string };
    const first = await next();
    assert.deepEqual([first.type, first.name], ["machine", "web"]);
    await program.ok(["create", "-d", "none", "--url", "tcp://127.0.0.1:1", "db"]);
    const second = await next();
    assert.deepEqual([second.type, second.name], ["machine", "db"]);
    await program.ok(["rm", "-y", "db"]);
    const third = await next();
    assert.deepEqual([third.type, third.name], ["machine-gone", "db"]);
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    child.kill("SIGINT");
    const [status] = (await once(child, "close")) as [number | null];
    assert.deepEqual([status, said], [0, ""]);
  });
});
