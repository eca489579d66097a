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

/** A terminal of this width. What is typed goes to its standard input. */
function atTerminal(columns: number, command: string, env: Readonly<Record<string, string>> = {}) {
  return spawn("script", ["-qec", `stty cols ${columns} rows 24; ${command}`, "/dev/null"], {
    env: program.environment({ TERM: "xterm", ...env }),
    stdio: "pipe",
    timeout: limitMs,
  });
}

/** All that was written to a terminal of this width. */
async function onTerminal(columns: number, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const child = atTerminal(columns, `exec ${quoteCommand([...program.commandLine, ...args])}`, env);
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

  /** `ls --watch` at a terminal, which says afterwards whether the terminal is as it was, and with which status it ended. */
  function watchAt(columns: number) {
    const watch = quoteCommand([
      "sh",
      "-c",
      'echo pid $$; exec "$@"',
      "sh",
      ...program.commandLine,
      "ls",
      "--watch",
      "--filter",
      "name=web",
    ]);
    const command = `before=$(stty -g); ${watch}; status=$?; test "$(stty -g)" = "$before" && echo restored $status`;
    const child = atTerminal(columns, command, { NO_COLOR: "1" });
    let shown = "";
    const changed = new EventTarget();
    child.stdout.on("data", (chunk: Buffer) => {
      shown += chunk.toString().replaceAll("\r", "");
      changed.dispatchEvent(new Event("data"));
    });
    const until = async (pattern: RegExp, from = 0): Promise<number> => {
      while (!pattern.test(shown.slice(from))) await once(changed, "data", { signal: AbortSignal.timeout(limitMs) });
      return shown.length;
    };
    return {
      child,
      until,
      pid: () => Number(/^pid (\d+)$/mu.exec(shown)?.[1]),
      shown: () => shown,
      ended: once(child, "close"),
    };
  }

  for (const columns of [60, 160])
    it(`filters by what is typed on ${columns} columns, and ends with q; the terminal is then as it was`, async () => {
      const watched = watchAt(columns);
      await watched.until(/q ends, \/ filters\nNAME[^]*\nweb +none/u);
      watched.child.stdin.write("/nob");
      const typed = await watched.until(/Filter: nob_ [^\n]*\nNone of 1 has it\n/u);
      watched.child.stdin.write("\u001B");
      const cleared = await watched.until(/q ends, \/ filters\nNAME[^]*\nweb /u, typed);
      watched.child.stdin.write("/WE\r");
      await watched.until(/Filter: WE {3}\([^\n]*\nNAME[^]*\nweb /u, cleared);
      watched.child.stdin.write("q");
      await watched.ended;
      assert.match(finalLines(watched.shown()).join("\n"), /^NAME [^]*\nweb +none [^]*\nrestored 0$/u);
      for (const line of watched.shown().split("\n")) assert.ok(line.length <= columns, line);
    });

  for (const [how, end] of [
    ["Ctrl-C", (watched) => watched.child.stdin.write("\u0003")],
    ["SIGTERM", (watched) => process.kill(watched.pid(), "SIGTERM")],
    ["SIGHUP", (watched) => process.kill(watched.pid(), "SIGHUP")],
  ] satisfies [string, (watched: ReturnType<typeof watchAt>) => unknown][])
    it(`gives the terminal back after ${how}`, async () => {
      const watched = watchAt(80);
      await watched.until(/\nweb +none/u);
      end(watched);
      await watched.ended;
      assert.match(watched.shown(), /^restored 0$/mu);
    });
});
