import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { describe, it } from "node:test";
import { MachineError } from "../errors/machine-error.ts";
import type { CommandModule, Invocation } from "./command.ts";
import { commandTable } from "./command-table.ts";
import type { CliContext } from "./cli-context.ts";
import { FakeRun, type FakeRunOptions } from "./testing/fake-main.ts";
import { version, versionLine } from "./version.ts";

/** Runs with the code of one command replaced; everything else is the program's own. */
async function runWith(name: string, run: CommandModule["run"], words: readonly string[], options: FakeRunOptions = {}) {
  return await new FakeRun({ ...options, code: { [name]: run } }).main(...words);
}

/** What a command was given. */
async function given(
  words: readonly string[],
  options: FakeRunOptions = {},
): Promise<{ invocation: Invocation; context: CliContext }> {
  const name = words.find((word) => commandTable.some((command) => command.name === word)) ?? "";
  let seen: { invocation: Invocation; context: CliContext } | undefined;
  const run = async (invocation: Invocation, context: CliContext): Promise<void> => void (seen = { invocation, context });
  const { stderr } = await runWith(name, run, words, options);
  return seen ?? assert.fail(stderr);
}

describe("main", () => {
  it("prints its version", async () => {
    for (const words of [["version"], ["--version"], ["-v"]]) {
      assert.deepEqual(await new FakeRun().main(...words), { code: 0, stdout: `${versionLine("docker-machine")}\n`, stderr: "" });
    }
    assert.equal(version, (JSON.parse(readFileSync("package.json", "utf8")) as { version: string }).version);
  });

  it("refuses unknown commands", async () => {
    const stderr = "docker-machine: 'nosuch' is not a docker-machine command. See 'docker-machine --help'.\n";
    assert.deepEqual(await new FakeRun().main("nosuch"), { code: 2, stdout: "", stderr });
    assert.deepEqual(await new FakeRun().main("help", "nosuch"), { code: 2, stdout: "", stderr });
    assert.equal((await new FakeRun({ env: { MACHINE_COMPAT: "0.16" } }).main("nosuch")).code, 1);
  });

  it("says what was meant, and nothing of it with 0.16.2's texts", async () => {
    const drivers = { none: [], docker: [{ kind: "int", name: "docker-memory", usage: "" }] } as const;
    for (const [words, hint] of [
      [["exec", "web", "uptime"], "It stands behind two dashes: docker-machine exec web -- uptime"],
      [["exec", "web", "ls", "-l"], "A command and its flags stand behind two dashes: docker-machine exec NAME -- ls -l"],
      [["craete"], "Did you mean docker-machine create?"],
      [["driver", "inspct"], "Did you mean docker-machine driver inspect?"],
      [["ls", "--filer", "x"], "Did you mean --filter?"],
      [["create", "-d", "docker", "--docker-memroy=1"], "Did you mean --docker-memory?"],
      [["create", "-d", "docker", "--memory=1"], "Did you mean --docker-memory?"],
      [["create", "-d", "docker", "--docker-mem", "1"], "Did you mean --docker-memory?"],
      [["ls", "--json"], "Did you mean --output json?"],
      [["delete", "web"], "Did you mean docker-machine rm?"],
      [["up", "web"], "Did you mean docker-machine start or docker-machine create?"],
      [["cache", "clean"], "Did you mean docker-machine cache prune?"],
      [["create", "-d", "none", "--docker-memory=1"], "--docker-memory is of the driver docker: give --driver docker as well."],
      [["create", "-d", "none", "--engine-source", "dokcer"], 'Did you mean "docker"?'],
    ] as const) {
      const { stderr } = await new FakeRun({ drivers }).main(...words);
      assert.ok(stderr.endsWith(`\nHint: ${hint}\n`), stderr);
      const { stderr: compat } = await new FakeRun({ drivers, env: { MACHINE_COMPAT: "0.16" } }).main(...words);
      assert.equal(compat.includes("Hint"), false);
    }
  });

  it("refuses unknown flags with help, and does not exit 0 as 0.16.2 does", async () => {
    for (const [words, compatCode] of [
      [["ls", "--nosuch"], 0],
      [["--nosuch", "ls"], 0],
      [["create", "-d", "none", "--nosuch"], 1],
    ] as const) {
      const drivers = { none: [] };
      const ours = await new FakeRun({ drivers }).main(...words);
      assert.equal(ours.code, 2);
      assert.match(ours.stdout, /^Incorrect Usage\.\n\nUsage: docker-machine /u);
      assert.equal(ours.stderr, "flag provided but not defined: -nosuch\n");
      assert.equal((await new FakeRun({ drivers, env: { MACHINE_COMPAT: "0.16" } }).main(...words)).code, compatCode);
    }
  });

  it("checks the number of arguments before a command's code is loaded", async () => {
    const sentences: readonly (readonly [string[], string, boolean])[] = [
      [["url", "a", "b"], "Error: Expected one machine name as an argument", false],
      [["active", "x"], "Error: Too many arguments given", false],
      [["rm"], "Error: Expected to get one or more machine names as arguments", true],
      [["scp", "a"], "Improper number of arguments", true],
      [["mount", "a", "b", "c"], "Improper number of arguments", true],
    ];
    for (const [words, message, showsHelp] of sentences) {
      const { code, stdout, stderr } = await new FakeRun().main(...words);
      assert.deepEqual([code, stderr], [2, `${message}\n`]);
      assert.equal(stdout.startsWith("Usage: "), showsHelp);
    }
  });

  it("gives a command its flags and arguments, and the global options from both sides of it", async () => {
    const { invocation, context } = await given([
      "-s",
      "/before",
      "--native-ssh",
      "ls",
      "x",
      "-t",
      "3",
      "-s",
      "/behind",
      "--timeout=4",
      "-D",
    ]);
    assert.deepEqual([invocation.args, invocation.options.int("timeout")], [["x"], 4]);
    const { storagePath, nativeSsh, debug, timeoutMs } = context.globals;
    assert.deepEqual(
      { storagePath, nativeSsh, debug, timeoutMs },
      { storagePath: "/behind", nativeSsh: true, debug: true, timeoutMs: undefined },
    );
  });

  it("lets a flag before the command weigh more than the environment", async () => {
    const { context } = await given(["-s", "/flag", "ls"], { env: { MACHINE_STORAGE_PATH: "/env", MACHINE_OUTPUT: "json" } });
    assert.deepEqual([context.globals.storagePath, context.globals.output], ["/flag", "json"]);
  });

  it("leaves everything behind ssh alone", async () => {
    const { invocation, context } = await given(["-D", "ssh", "m", "-D", "--", "ls", "--help"]);
    assert.deepEqual(invocation.args, ["m", "-D", "--", "ls", "--help"]);
    assert.equal(context.globals.debug, true);
    const plain = await given(["ssh", "m", "tool", "--debug"]);
    assert.equal(plain.context.globals.debug, false);
  });

  it("gives the command line as typed", async () => {
    const { context } = await given(["env", "-u", "--shell", "fish"]);
    assert.deepEqual(context.commandLine, ["docker-machine", "env", "-u", "--shell", "fish"]);
  });

  it("gives create the flags of the driver that is named anywhere", async () => {
    const drivers = { other: [{ kind: "int", name: "other-size", usage: "", value: 3 }] } as const;
    for (const words of [
      ["create", "m", "--other-size", "5", "-d", "other"],
      ["create", "--driver=other", "--other-size=5", "m"],
    ]) {
      const { invocation } = await given(words, { drivers });
      assert.deepEqual(
        [invocation.options.int("other-size"), invocation.options.string("driver"), invocation.args],
        [5, "other", ["m"]],
      );
    }
    const { invocation } = await given(["create", "m"], { drivers, env: { MACHINE_DRIVER: "other" } });
    assert.deepEqual([invocation.options.int("other-size"), invocation.options.string("driver")], [3, "other"]);
  });

  it("warns of variables it cannot read", async () => {
    const { stderr } = await runWith("ls", async () => {}, ["ls"], { env: { MACHINE_NATIVE_SSH: "yes" } });
    assert.equal(stderr, 'Ignoring MACHINE_NATIVE_SSH: strconv.ParseBool: parsing "yes": invalid syntax\n');
  });

  it("gives what a command gives", async () => {
    assert.equal((await runWith("ssh", async () => 42, ["ssh", "m"])).code, 42);
    assert.equal((await runWith("ssh", async () => 42, ["ssh", "m"], { env: { MACHINE_COMPAT: "0.16" } })).code, 1);
  });
});

describe("main, when a command fails", () => {
  const fail = (error: unknown) => async (): Promise<void> => {
    throw error;
  };

  it("prints the sentence and the way out, and gives the error's code", async () => {
    const error = new MachineError("machine-not-found", "No such machine", { hint: "Run ls." });
    const { code, stdout, stderr } = await runWith("ip", fail(error), ["ip", "x"]);
    assert.deepEqual([code, stdout, stderr], [4, "", "No such machine\nHint: Run ls.\n"]);
  });

  it("prints no stack without --debug", async () => {
    const error = new MachineError("disk-full", "Too late", { cause: new Error("inner") });
    assert.equal((await runWith("ip", fail(error), ["ip"])).stderr, "Too late\n");
    assert.match(
      (await runWith("ip", fail(error), ["--debug", "ip"])).stderr,
      /^Docker Machine Version: .*\nToo late\nError code: disk-full\nMachineError: Too late\n {4}at .*Caused by: Error: inner\n/su,
    );
  });

  it("prints no help into JSON", async () => {
    const { code, stdout, stderr } = await new FakeRun().main("--output", "json", "scp", "a");
    assert.deepEqual([code, stderr, (JSON.parse(stdout) as { code: string }).code], [2, "", "usage"]);
  });

  it("prints JSON where JSON is wanted: on standard error beside facts, else on standard output", async () => {
    const error = new MachineError("driver-failed", "No", { hint: "Try." });
    const expected = { time: "2026-01-02T03:04:05.000Z", type: "error", code: "driver-failed", message: "No", hint: "Try." };
    const facts = await runWith("ip", fail(error), ["ip", "--output", "json"]);
    assert.deepEqual([facts.stdout, JSON.parse(facts.stderr)], ["", expected]);
    const progress = await runWith("stop", fail(error), ["--output=json", "stop"]);
    assert.deepEqual([progress.stderr, JSON.parse(progress.stdout)], ["", expected]);
  });

  it("writes a report of a bug, without values and secrets", async () => {
    const store = await mkdtemp(path.join(tmpdir(), "docker-machine-crash-"));
    try {
      const flags = [{ kind: "string", name: "cloud-token", usage: "", secret: true }] as const;
      const run = async (): Promise<void> => {
        throw new TypeError("token abcd1234 is not a function");
      };
      const words = ["-s", store, "create", "-d", "cloud", "--cloud-token=abcd1234", "host78"];
      const { code, stderr } = await runWith("create", run, words, { drivers: { cloud: flags } });
      const [file = ""] = await readdir(path.join(store, "crash-reports"));
      const reportPath = path.join(store, "crash-reports", file);
      assert.equal(code, 1);
      assert.equal(
        stderr,
        `Unexpected error: token [redacted] is not a function\nThis is a bug of docker-machine. A report without secrets is in ${reportPath}; it was sent to nobody.\n`,
      );
      const report = await readFile(reportPath, "utf8");
      assert.match(
        report,
        new RegExp(
          `^docker-machine ${version}, build .*\\nlinux x64, Test 1\\.0\\ncommand: create -s -d --cloud-token\\n\\nTypeError: token`,
          "u",
        ),
      );
      assert.doesNotMatch(report, /abcd1234|host78/u);
      assert.equal((await stat(reportPath)).mode & 0o777, 0o600);
    } finally {
      await rm(store, { recursive: true });
    }
  });

  it("says so when no report can be written", async () => {
    const { stderr } = await runWith("ip", fail(new TypeError("oops")), ["ip"], { computer: { homeDir: undefined } });
    assert.equal(
      stderr,
      "Unexpected error: oops\nThis is a bug of docker-machine. No report could be written: No home directory is known, so there is no place for the store\n",
    );
  });
});

describe("main, when something is thrown that nobody waits for", () => {
  it("shows it as a bug and ends at once", async () => {
    const fake = new FakeRun({ computer: { homeDir: undefined }, code: { ls: () => new Promise(() => {}) } });
    void fake.main("ls");
    await fake.clock.advance(0);
    fake.fault(new TypeError("late"));
    await fake.clock.advance(0);
    await fake.clock.advance(0);
    assert.match(fake.streams.stderr.text, /^Unexpected error: late\nThis is a bug of docker-machine\./u);
    assert.deepEqual(fake.exits, [1]);
  });
});

describe("main, when it is interrupted", () => {
  /** A command that ends when it is aborted, as calls of Node do. */
  const waitForAbort: CommandModule["run"] = (_invocation, context) =>
    new Promise((_resolve, reject) => {
      context.signal.addEventListener("abort", () => reject(new DOMException("This operation was aborted", "AbortError")));
    });

  async function started(words: readonly string[], act: (fake: FakeRun) => Promise<void> | void) {
    const fake = new FakeRun({ code: { ls: waitForAbort } });
    const result = fake.main(...words);
    await fake.clock.advance(0);
    await act(fake);
    return { fake, ...(await result) };
  }

  it("aborts the command, says so and exits 130", async () => {
    const { code, stderr, fake } = await started(["ls"], (run) => run.interrupt());
    assert.equal(code, 130);
    assert.equal(stderr, "Interrupted. Interrupt again to stop at once.\nInterrupted\n");
    assert.deepEqual(fake.exits, []);
  });

  it("takes two signals that come together, as timeout(1) sends them, for one", async () => {
    const { code, fake } = await started(["ls"], (run) => {
      run.interrupt();
      run.interrupt();
    });
    assert.equal(code, 130);
    assert.deepEqual(fake.exits, []);
  });

  it("ends at once the second time", async () => {
    const undone = Promise.withResolvers<void>();
    const fake = new FakeRun({ code: { ls: async () => await undone.promise } });
    const result = fake.main("ls");
    await fake.clock.advance(0);
    fake.interrupt();
    await fake.clock.advance(500);
    fake.interrupt();
    assert.deepEqual(fake.exits, [130]);
    undone.resolve();
    await result;
  });

  it("keeps the bound of --timeout", async () => {
    const { code, stderr } = await started(["--timeout", "90", "ls"], (run) => run.clock.advance(90_000));
    assert.equal(code, 1);
    assert.equal(stderr, "The command did not finish within 90 s\nHint: Give it more time with --timeout, or leave that out.\n");
  });
});

describe("the context of a command", () => {
  it("hides secrets in what it prints, and those it was told", async () => {
    const run: CommandModule["run"] = async (_invocation, context) => {
      context.redactor.add(await context.askSecret("Password: "));
      context.print("it is hunter22");
      context.printJson({ password: "hunter22" });
    };
    const { stdout, stderr } = await runWith("ls", run, ["ls"], { isTerminal: true, input: ["hunter22"] });
    assert.deepEqual([stdout, stderr], ['it is [redacted]\n{\n    "password": "[redacted]"\n}\n', "Password: \n"]);
  });

  it("prints no controls of others on a terminal, and elsewhere what was given", async () => {
    const run: CommandModule["run"] = async (_invocation, context) => context.print("a\u001B[2J\nb");
    assert.equal((await runWith("ls", run, ["ls"], { isTerminal: true })).stdout, "a\uFFFD[2J\nb\n");
    assert.equal((await runWith("ls", run, ["ls"])).stdout, "a\u001B[2J\nb\n");
  });

  it("shows progress in place on a terminal only, and never where it is not wanted", async () => {
    const run: CommandModule["run"] = async (_invocation, context) => {
      const view = await context.showProgress(["a", "b"]);
      view.reportFor("a")({ type: "creating-instance" });
      view.finish("a");
      view.close();
    };
    const live = async (options: FakeRunOptions, ...words: string[]): Promise<boolean> =>
      (await runWith("stop", run, ["stop", ...words], options)).stdout.includes("\u001B");
    assert.equal(await live({ isTerminal: true }), true);
    assert.equal(await live({}), false);
    assert.equal(await live({ isTerminal: true, env: { NO_COLOR: "1" } }), false);
    assert.equal(await live({ isTerminal: true, env: { TERM: "dumb" } }), false);
    assert.equal(await live({ isTerminal: true }, "--debug"), false);
    assert.equal(await live({ isTerminal: true }, "--output", "json"), false);
    assert.equal((await runWith("stop", run, ["stop"])).stdout, "(a) Creating machine...\n");
  });
});
