import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { describe, it } from "node:test";
import { isMachineError } from "../errors/machine-error.ts";
import { systemClock } from "../system/clock.ts";
import { thisComputer } from "../system/computer.ts";
import { SystemProcessRunner } from "../system/process.ts";
import { temporaryFolder } from "../system/testing/folder.ts";
import { CliTool, type CliToolOptions } from "./cli-tool.ts";
import { failureKindOf } from "./provider-error.ts";

const notHere = process.platform === "win32" ? "needs a POSIX shell" : false;

/** A tool whose program is this script. */
function toolOf(script: string, change: Partial<CliToolOptions> = {}): CliTool {
  const program = path.join(temporaryFolder(), "boxmanage");
  writeFileSync(program, `#!/bin/sh\n${script}\n`);
  chmodSync(program, 0o755);
  const processes = new SystemProcessRunner(thisComputer());
  const options: CliToolOptions = {
    title: "BoxManage",
    programs: ["/nowhere/boxmanage", program],
    installHint: "Install it.",
    failures: [
      {
        message: /already exists/u,
        kind: "exists",
        sentence: "The machine {name} is there already",
        hint: "Choose another name.",
      },
    ],
    errorIn: (line) => /^BoxManage: error: (.*)$/u.exec(line)?.[1],
    ...change,
  };
  return new CliTool(options, { processes, clock: systemClock });
}

const call = { timeoutMs: 10_000, signal: new AbortController().signal };

describe("a vendor's program", { skip: notHere }, () => {
  it("gives what the program printed; a warning is no failure", async () => {
    const tool = toolOf('echo "$@"; echo "BoxManage: warning: old" >&2');
    assert.deepEqual(await tool.run(["list", "two words"], call), {
      stdout: "list two words\n",
      stderr: "BoxManage: warning: old\n",
    });
  });

  it("fails by an error line though the status is 0, in the table's words", async () => {
    const tool = toolOf('echo "BoxManage: error: Machine already exists" >&2');
    await assert.rejects(tool.run(["create"], { ...call, facts: { name: "web" } }), (error) => {
      assert.equal(failureKindOf(error), "exists");
      assert.ok(isMachineError(error));
      assert.equal(error.message, "The machine web is there already: Machine already exists");
      assert.equal(error.hint, "Choose another name.");
      return true;
    });
  });

  it("fails by the program's own code, where it has one", async () => {
    const tool = toolOf('echo "BoxManage: error: odd" >&2; echo "Details: code E_BUSY" >&2; exit 1', {
      codeIn: (stderr) => /code (\w+)/u.exec(stderr)?.[1],
      failures: [{ codes: ["E_BUSY"], kind: "busy", sentence: "It is at work" }],
    });
    await assert.rejects(
      tool.run(["x"], call),
      (error) => failureKindOf(error) === "busy" && /^It is at work: odd \(E_BUSY\)$/u.test((error as Error).message),
    );
  });

  it("fails by its status, with its last words, or the status where it said none", async () => {
    await assert.rejects(toolOf("echo odd >&2; exit 3").run(["x"], call), /BoxManage refused the request: odd/u);
    await assert.rejects(toolOf("exit 3").run(["x"], call), /it ended with status 3/u);
  });

  it("that is not installed is told with the way to get it", async () => {
    const tool = toolOf("true", { programs: ["/nowhere/boxmanage"] });
    await assert.rejects(
      tool.run(["x"], call),
      (error) => isMachineError(error, "program-missing") && error.hint === "Install it.",
    );
  });

  it("is called once at a time where it bears no more", async () => {
    const folder = temporaryFolder();
    const tool = toolOf(
      `[ ! -e ${folder}/busy ] || echo "BoxManage: error: two at once" >&2; touch ${folder}/busy; sleep 0.05; rm ${folder}/busy`,
      {
        lockPath: path.join(folder, "calls.lock"),
      },
    );
    await Promise.all([1, 2, 3].map(async () => await tool.run(["x"], call)));
  });

  it("ends with the signal", async () => {
    const stop = new AbortController();
    const running = toolOf("sleep 20").run(["x"], { ...call, signal: stop.signal });
    stop.abort(new Error("enough"));
    await assert.rejects(running, /enough/u);
  });
});
