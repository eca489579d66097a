/** The frame on a real process: pipes that close, signals, prompts, a terminal. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import * as path from "node:path";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";

const program = [process.execPath, path.resolve("test/cli/probe-program.ts")] as const;
const limitMs = 30_000;

function run(word: string, options: { input?: string; env?: Record<string, string> } = {}) {
  const env = { ...process.env, NODE_NO_WARNINGS: "1", ...options.env };
  const { status, stdout, stderr } = spawnSync(program[0], [program[1], word], {
    encoding: "utf8",
    timeout: limitMs,
    ...options,
    env,
  });
  return { status, stdout, stderr };
}

/** Runs on a terminal of its own and answers the prompt when it appears; gives what was shown there. */
async function answerOnTerminal(word: string, prompt: string, answer: string): Promise<string> {
  const command = [...program, word].map((part) => `'${part}'`).join(" ");
  const child = spawn("script", ["-qec", command, "/dev/null"], { stdio: "pipe", timeout: limitMs });
  let shown = "";
  child.stdout.on("data", (chunk: Buffer) => {
    const before = shown;
    shown += chunk.toString();
    if (shown.includes(prompt) && !before.includes(prompt)) child.stdin.write(`${answer}\n`);
  });
  await new Promise((resolve) => child.once("close", resolve));
  return shown.replaceAll("\r", "");
}

describe("prompts", () => {
  it("take a piped answer, and the end of input for a no", () => {
    assert.deepEqual(run("confirm", { input: "y\nrest" }), { status: 0, stdout: "Sure? (y/n): confirmed\n", stderr: "" });
    assert.deepEqual(run("confirm", { input: "y" }).stdout, "Sure? (y/n): confirmed\n");
    assert.deepEqual(run("confirm", { input: "" }).stdout, "Sure? (y/n): refused\n");
  });

  it("ask for secrets on a terminal only, and never show them", async () => {
    assert.equal(run("secret", { input: "hunter22\n" }).stdout, "nobody to ask\n");
    assert.equal(await answerOnTerminal("secret", "Password: ", "hunter22"), "Password: \n8 characters, [redacted]\n");
    assert.equal(await answerOnTerminal("confirm", "(y/n): ", "y"), "Sure? (y/n): y\nconfirmed\n");
  });
});

describe("output", () => {
  it("is complete through a pipe", () => {
    const { status, stdout } = run("flood");
    assert.equal(status, 7);
    assert.equal(stdout.split("\n").length, 50_001);
  });

  it("may lose its reader without harm", async () => {
    const child = spawn(program[0], [program[1], "flood"], { stdio: ["ignore", "pipe", "pipe"], timeout: limitMs });
    child.stdout.once("data", () => child.stdout.destroy());
    const [stderr, status] = await Promise.all([text(child.stderr), new Promise((resolve) => child.once("close", resolve))]);
    assert.deepEqual([status, stderr], [7, ""]);
  });

  it("that cannot be written is a failure", () => {
    const command = `${[...program, "argv"].map((part) => `'${part}'`).join(" ")} >/dev/full`;
    const { status, stderr } = spawnSync("sh", ["-c", command], { encoding: "utf8", timeout: limitMs });
    assert.equal(status, 1);
    assert.match(stderr, /^Cannot write to standard output: ENOSPC/u);
  });

  it("names the program as it was called", () => {
    assert.deepEqual(JSON.parse(run("argv", { env: { DOCKER_MACHINE_ARGV0: "dm" } }).stdout), ["dm", "argv"]);
    assert.deepEqual(JSON.parse(run("argv", { env: { DOCKER_MACHINE_ARGV0: "" } }).stdout), [program[1], "argv"]);
    const onPath = { DOCKER_MACHINE_ARGV0: "", PATH: path.dirname(program[1]) };
    assert.deepEqual(JSON.parse(run("argv", { env: onPath }).stdout), [path.basename(program[1]), "argv"]);
  });
});

describe("signals", () => {
  /** Signals once, or until it ends, as an impatient user does. */
  async function interrupted(word: string, signal: NodeJS.Signals, again: boolean) {
    const child = spawn(program[0], [program[1], word], { stdio: ["ignore", "pipe", "pipe"], timeout: limitMs });
    const [stderr, ended] = [text(child.stderr), once(child, "close")];
    await once(child.stdout, "data");
    child.kill(signal);
    const insisting = again ? setInterval(() => child.kill(signal), 50) : undefined;
    const [status] = (await ended) as [number | null];
    clearInterval(insisting);
    return { status, stderr: await stderr };
  }

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    it(`${signal} aborts the command, which exits 130`, async () => {
      const { status, stderr } = await interrupted("wait", signal, false);
      assert.equal(status, 130);
      assert.equal(stderr, "Interrupted. Interrupt again to stop at once.\nInterrupted\n");
    });
  }

  it("repeated end a command that does not listen", async () => {
    assert.equal((await interrupted("stubborn", "SIGINT", true)).status, 130);
  });
});

describe("a bug", () => {
  for (const word of ["fault", "rejection"]) {
    it(`that nobody waits for is shown without a stack: ${word}`, () => {
      const { status, stderr } = run(word, { env: { MACHINE_STORAGE_PATH: "/dev/null/store" } });
      assert.equal(status, 1);
      assert.match(stderr, /^Unexpected error: late\nThis is a bug of docker-machine\. No report could be written: [^\n]*\n$/u);
    });
  }
});

describe("the end", () => {
  it("comes also when a command leaves something running", () => {
    assert.equal(run("leak").status, 5);
  });
});
