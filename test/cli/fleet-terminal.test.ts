/** Commands for many machines as people see them, on terminals of 60 and 160 columns, and through a pipe. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, it } from "node:test";
import { quoteCommand } from "../../src/ssh/shell-quote.ts";
import { programUnderTest } from "../golden/replay.ts";
import { startSshd, whyNot, type TestServer } from "../ssh/real-servers.ts";
import { openCommandLine, type CommandLine } from "./command-line.ts";
import { addSshMachine } from "./ssh-machines.ts";

const escape = "\u001B";

describe("on terminals", { skip: whyNot("sshd") ?? false }, () => {
  let shell: CommandLine;
  let server: TestServer;
  before(async () => {
    shell = await openCommandLine();
    server = await startSshd();
    for (const name of ["web-1", "web-2"]) await addSshMachine(shell, server, { name });
    await addSshMachine(shell, server, { name: "gone", port: 1 });
    await shell.ok("exec web-1 web-2 -- true");
  });
  after(async () => {
    await server.stop();
    await shell[Symbol.asyncDispose]();
  });

  const start = (columns: number, words: readonly string[]) =>
    spawn(
      "script",
      ["-qec", `stty cols ${columns} rows 24; exec ${quoteCommand([...programUnderTest(), ...words])}`, "/dev/null"],
      {
        env: {
          PATH: process.env["PATH"],
          HOME: `${shell.folder}/home`,
          DOCKER_MACHINE_ARGV0: "docker-machine",
          TERM: "xterm",
          SHELL: "/bin/sh",
          EDITOR: "true",
          MACHINE_STORAGE_PATH: shell.store,
        },
        timeout: 60_000,
      },
    );

  async function shown(columns: number, words: readonly string[], typed = ""): Promise<{ text: string; status: number | null }> {
    const child = start(columns, words);
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
    if (typed !== "") child.stdin.write(typed);
    const [status] = (await once(child, "close")) as [number | null];
    return { text: text.replaceAll("\r", ""), status };
  }

  for (const columns of [60, 160]) {
    it(`doctor fits ${columns} columns, but for what is to be copied`, async () => {
      const { text, status } = await shown(columns, ["doctor", "gone"]);
      assert.equal(status, 1);
      assert.match(text.replaceAll(/\s+/gu, " "), /Nothing listens for SSH at 127\.0\.0\.1:1: the connection was refused/u);
      for (const line of text.split("\n")) assert.ok(line.length <= columns || line.startsWith("  Do: "), line);
      assert.ok(!text.includes(escape));
    });

    for (const [words, expected, answer] of [
      [["settings", "edit"], /config\.yml is good\.$/u, undefined],
      [["ssh-config", "--install"], /becomes: Include \S+ssh_config Write it\? \(y\/n\):$/u, "n\n"],
      [["ls", "--fliter", "x"], /flag provided but not defined: -fliter Hint: Did you mean --filter\?$/u, undefined],
      [["crate", "web-1"], /'crate' is not a docker-machine command\..+Did you mean docker-machine create\?$/u, undefined],
      [["create", "-d", "qmu", "x"], /^Driver "qmu" not found\..+Did you mean "qemu"\?$/u, undefined],
      [["port", "web-1", "8080:99999"], /^"8080:99999" is no port Hint: Give it as 8080:80/u, undefined],
    ] as const)
      it(`${words.join(" ")} says what it did or what was meant on ${columns} columns`, async () => {
        const { text } = await shown(columns, words, answer);
        assert.match(text.replaceAll(/\s+/gu, " ").trim(), expected);
        assert.ok(!text.includes(escape));
        assert.ok(text.trim().split("\n").length <= 8, text);
      });

    for (const words of [
      ["doctor", "-v", "gone"],
      ["driver", "ls"],
      ["cache", "ls"],
    ])
      it(`${words.join(" ")} fits ${columns} columns`, async () => {
        const { text } = await shown(columns, words);
        for (const line of text.split("\n")) assert.ok(line.length <= columns || line.startsWith("  Do: "), line);
      });

    it(`exec shows whole lines on ${columns} columns`, async () => {
      const { text } = await shown(columns, ["exec", "web-1", "web-2", "--", "printf '\\033[31mred\\033[0m\\n'"]);
      assert.deepEqual(text.trim().split("\n").toSorted(), ["web-1 | \uFFFD[31mred\uFFFD[0m", "web-2 | \uFFFD[31mred\uFFFD[0m"]);
    });

    it(`a selection is asked about on ${columns} columns`, async () => {
      const { text, status } = await shown(columns, ["stop", "--filter", "name=web"], "n\n");
      assert.equal(status, 0);
      assert.match(text, /About to stop web-1, web-2\n/u);
      assert.match(text, /Are you sure\? \(y\/n\): /u);
    });
  }

  // Each leaves the store as it was, so that it can be said again.
  for (const words of [
    ["label", "web-1"],
    ["protect", "web-1"],
    ["unprotect", "web-1"],
    ["ssh-config", "web-1"],
    ["context", "create", "web-1"],
    ["context", "use", "web-1"],
    ["context", "rm", "web-2"],
    ["rename", "web-1", "web-2"],
    ["edit", "web-1", "--cpus", "2"],
    ["console", "web-1"],
    ["port", "web-1", "http"],
    ["wait", "web-1", "--for", "ssh"],
    ["logs", "gone"],
    ["with", "gone", "true"],
    ["with", "--ssh", "web-1", "true"],
    ["settings", "path"],
    ["settings", "check"],
    ["cache", "prune"],
    ["active"],
    ["url", "web-1"],
    ["create", "-d", "none", "--url", "tcp://127.0.0.1:1", "a_b"],
    ["satrt", "web-1"],
  ])
    it(`${words.join(" ")} says on terminals of 60 and 160 columns what it says in pipes`, async () => {
      const piped = await shell.run(words);
      const spoken = (text: string): string[] =>
        text
          .split(/\s+/u)
          .filter((word) => word !== "")
          .toSorted();
      for (const columns of [60, 160]) {
        const { text, status } = await shown(columns, words);
        assert.equal(status, piped.code, text);
        assert.deepEqual(spoken(text), spoken(piped.stdout + piped.stderr));
      }
    });

  it("a pipe gets the same lines, without a width", async () => {
    const { stdout } = await shell.run(["doctor", "gone"]);
    assert.match(stdout, /^ {2}Nothing listens for SSH at 127\.0\.0\.1:1: the connection was refused$/mu);
  });
});
