/** What becomes of commands on machines when `exec` is told to end, over real SSH servers. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { describe, it } from "node:test";
import { programUnderTest } from "../golden/replay.ts";
import { startSshd, whyNot } from "../ssh/real-servers.ts";
import { openCommandLine } from "./command-line.ts";
import { addSshMachine } from "./ssh-machines.ts";

const limitMs = 20_000;

/** What is asked for again and again until it is so. */
async function until(what: string, isSo: () => boolean): Promise<void> {
  for (const endMs = Date.now() + limitMs; !isSo();) {
    if (Date.now() > endMs) assert.fail(`not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

for (const flags of [[], ["--native-ssh"]])
  describe(`exec ${flags.join(" ")}`, { skip: whyNot("sshd") ?? false }, () => {
    it("that is interrupted, or has no time left, ends its command there, and nobody else's", async () => {
      await using shell = await openCommandLine();
      const server = await startSshd();
      try {
        await addSshMachine(shell, server, { name: "web" });
        await addSshMachine(shell, server, { name: "db" });
        const file = (name: string): string => path.join(shell.folder, name);
        const said = (name: string): string => (existsSync(file(name)) ? readFileSync(file(name), "utf8").trim() : "");
        // Two processes of one command: what it has started has to end, too.
        const command = (name: string): string =>
          `trap "echo ended > ${file(name)}; exit" TERM; (trap "echo ended > ${file(name)}-2; exit" TERM; echo up > ${file(name)}-2; sleep 300 & wait) & echo up > ${file(name)}; wait`;
        const begin = async (machine: string, name: string, ...more: readonly string[]) => {
          const child = shell.start([...flags, "exec", ...more, machine, "--", command(name)], programUnderTest());
          child.stdout.resume();
          child.stderr.resume();
          const ended = once(child, "close") as Promise<[number | null]>;
          await until(`${name} is up`, () => said(name) === "up" && said(`${name}-2`) === "up");
          return { child, ended };
        };
        const other = await begin("db", "other");
        const interrupted = await begin("web", "interrupted");
        interrupted.child.kill("SIGINT");
        assert.equal((await interrupted.ended)[0], 130);
        await until("it has ended there", () => said("interrupted") === "ended");
        const late = await begin("web", "late", "--timeout", "8s");
        assert.equal((await late.ended)[0], 1);
        await until("it has ended there", () => said("late") === "ended");
        await until("its child, too", () => said("interrupted-2") === "ended" && said("late-2") === "ended");
        assert.deepEqual([said("other"), said("other-2")], ["up", "up"]);
        other.child.kill("SIGINT");
        await other.ended;
      } finally {
        await server.stop();
      }
    });
  });
