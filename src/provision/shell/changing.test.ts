/** The shell functions that change a host, run in every shell against a scratch folder. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { runShell, shells } from "../../../test/support/shells.ts";
import { changingFunctions, putFile } from "./changing.ts";
import { answering, bootstrap, framedScript, scriptPrelude } from "./script-protocol.ts";
import { SecretText } from "./secret-text.ts";
import { joinLines, sh, ShellText } from "./shell-text.ts";

class Scratch implements Disposable {
  readonly folder = mkdtempSync(path.join(tmpdir(), "changing-"));
  readonly state = path.join(this.folder, "state");
  readonly #shell: readonly string[];

  constructor(shell: readonly string[]) {
    this.#shell = shell;
  }

  at(name: string): string {
    return path.join(this.folder, name);
  }

  /** Runs with this program's folder on the host moved into the scratch folder. */
  run(record: boolean, ...pieces: readonly ShellText[]): { status: number | null; changed: readonly string[]; output: string } {
    const result = runShell(this.#shell, this.#script(record, 1, pieces));
    const changed = [...result.stdout.matchAll(/^@changed\t(.*)\t$/gmu)].map((match) =>
      path.relative(this.folder, match[1] ?? ""),
    );
    return { status: result.status, changed, output: result.stdout + result.stderr };
  }

  /** Runs as on a host, where other runs see it, beside others; gives the exit status. */
  async start(hears: "heard" | "unheard", ...pieces: readonly ShellText[]): Promise<number | null> {
    const [program = "sh", ...args] = this.#shell;
    const child = spawn(program, [...args, "-c", bootstrap], { stdio: ["pipe", "pipe", "ignore"] });
    child.stdout.on("data", (chunk: Buffer) => {
      if (hears === "unheard" && /@wait|begun/u.test(chunk.toString())) child.stdout.destroy();
    });
    child.stdin.end(framedScript(new ShellText(this.#script(false, 30, pieces))));
    const [status] = (await once(child, "exit")) as [number | null];
    return status;
  }

  #script(record: boolean, packageLockSeconds: number, pieces: readonly ShellText[]): string {
    const functions = changingFunctions({ record, label: "web", packageLockSeconds, mayRemove: true });
    const script = joinLines(scriptPrelude, answering, functions, ...pieces);
    return script.text.replaceAll("/var/lib/docker-machine", this.state);
  }

  read(name: string): string {
    return readFileSync(this.at(name), "utf8");
  }

  mode(name: string): string {
    return (statSync(this.at(name)).mode & 0o777).toString(8);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const begin = sh`begin_run`;
const finish = sh`finish_run`;

for (const shell of shells) {
  const name = shell.join(" ");

  test(`${name}: put writes a file with its mode, once`, () => {
    using scratch = new Scratch(shell);
    const put = putFile(scratch.at("etc/key.pem"), "0600", new SecretText("secret\n"));
    assert.deepEqual(scratch.run(false, begin, put, finish).changed, ["etc/key.pem"]);
    assert.deepEqual([scratch.read("etc/key.pem"), scratch.mode("etc/key.pem")], ["secret\n", "600"]);
    assert.deepEqual(scratch.run(false, begin, put, finish).changed, []);
    assert.deepEqual(scratch.run(false, begin, putFile(scratch.at("etc/key.pem"), "0644", "secret"), finish).changed, [
      "etc/key.pem",
    ]);
    assert.equal(scratch.mode("etc/key.pem"), "644");
    assert.deepEqual(readdirSync(scratch.at("etc")), ["key.pem"]);
  });

  test(`${name}: whatever is written is labelled in its place, folders and what is put back too`, () => {
    using scratch = new Scratch(shell);
    writeFileSync(scratch.at("theirs"), "before");
    const script = sh`restorecon() { printf '%s\n' "$1" >> ${scratch.at("labelled")}; return 1; }`;
    const changes = [putFile(scratch.at("etc/new"), "0644", "x"), sh`keep_edited ${scratch.at("theirs")}`];
    const { status } = scratch.run(false, script, begin, ...changes, sh`take_away ${scratch.at("theirs")}; undo_run`);
    assert.equal(status, 0);
    assert.deepEqual(
      scratch
        .read("labelled")
        .trimEnd()
        .split("\n")
        .map((file) => path.relative(scratch.folder, file)),
      ["etc", "etc/new", "theirs.edited", "theirs"],
    );
  });

  test(`${name}: a run that fails is undone, newest change first`, () => {
    using scratch = new Scratch(shell);
    writeFileSync(scratch.at("old"), "before");
    writeFileSync(scratch.at("gone"), "was here");
    const changes = [
      putFile(scratch.at("old"), "0644", "one"),
      putFile(scratch.at("old"), "0644", "two"),
      putFile(scratch.at("new"), "0644", "x"),
      sh`take_away ${scratch.at("gone")}`,
    ];
    const { status } = scratch.run(
      false,
      begin,
      sh`on_failure() { undo_run; }`,
      ...changes,
      sh`false || fail engine-start broken`,
    );
    assert.equal(status, 1);
    assert.deepEqual([scratch.read("old"), scratch.read("gone")], ["before", "was here"]);
    assert.deepEqual(readdirSync(scratch.folder).toSorted(), ["gone", "old", "state"]);
  });

  test(`${name}: a run that has finished undoes nothing any more, whatever comes then`, () => {
    using scratch = new Scratch(shell);
    const undo = sh`on_failure() { : > ${scratch.at("undone")}; }`;
    assert.equal(scratch.run(false, begin, undo, finish, sh`exit 1`).status, 1);
    assert.deepEqual(readdirSync(scratch.folder), ["state"]);
    scratch.run(false, begin, undo, sh`exit 1`);
    assert.deepEqual(readdirSync(scratch.folder).toSorted(), ["state", "undone"]);
  });

  test(`${name}: what a cut-off run left can be undone by the next`, () => {
    using scratch = new Scratch(shell);
    writeFileSync(scratch.at("old"), "before");
    scratch.run(false, begin, putFile(scratch.at("old"), "0644", "half"), sh`kill -9 $$`);
    assert.equal(scratch.read("old"), "half\n");
    scratch.run(false, sh`undo_run`);
    assert.equal(scratch.read("old"), "before");
  });

  test(`${name}: on an adopted host the first state of a file is kept for good, and what is new is told`, () => {
    using scratch = new Scratch(shell);
    writeFileSync(scratch.at("theirs"), "original");
    const provision = (text: string): ReturnType<Scratch["run"]> =>
      scratch.run(
        true,
        begin,
        putFile(scratch.at("theirs"), "0644", text),
        putFile(scratch.at("etc/docker/ours"), "0644", text),
        sh`remember package curl`,
        finish,
      );
    provision("first");
    provision("second");
    const manifest = [
      "file-changed\tTOP/theirs",
      "folder-created\tTOP/etc",
      "folder-created\tTOP/etc/docker",
      "file-created\tTOP/etc/docker/ours",
      "package\tcurl",
    ];
    assert.deepEqual(
      scratch.read("state/manifest").trimEnd().split("\n"),
      manifest.map((line) => line.replace("TOP", scratch.folder)),
    );
    assert.equal(readFileSync(`${scratch.state}/original${scratch.at("theirs")}`, "utf8"), "original");
    assert.equal(scratch.read("state/sums").trimEnd().split("\n").length, 2);
    assert.equal(scratch.mode("state"), "700");
  });

  test(`${name}: a link is written through, not replaced`, () => {
    using scratch = new Scratch(shell);
    mkdirSync(scratch.at("real"));
    writeFileSync(scratch.at("real/daemon.json"), "{}");
    symlinkSync(scratch.at("real/daemon.json"), scratch.at("link"));
    scratch.run(false, begin, putFile(scratch.at("link"), "0644", '{"a":1}'), finish);
    assert.equal(scratch.read("real/daemon.json"), '{"a":1}\n');
  });

  test(`${name}: another run that is still at work is waited for, with a bound, and not disturbed`, async () => {
    using scratch = new Scratch(shell);
    mkdirSync(`${scratch.state}/run`, { recursive: true });
    const other = spawn("sh", ["-c", "read -r _ #begin"], { stdio: ["pipe", "ignore", "ignore"] });
    try {
      await once(other, "spawn");
      writeFileSync(`${scratch.state}/run/process`, `${other.pid}\n`);
      const { status, output } = scratch.run(false, begin, putFile(scratch.at("x"), "0644", "x"));
      assert.equal(status, 1);
      assert.match(
        output,
        new RegExp(`@fail\tmachine-busy\tAnother run of docker-machine \\(process ${other.pid} there\\)`, "u"),
      );
      assert.equal(scratch.run(false, sh`await_other_run`).status, 1);
    } finally {
      other.stdin.end();
      await once(other, "exit");
    }
    assert.equal(scratch.run(false, sh`await_other_run`).status, 0);
    assert.ok(readdirSync(scratch.state).includes("run"), "what it left is still to be undone");
    assert.equal(scratch.run(false, begin, putFile(scratch.at("x"), "0644", "x"), finish).status, 0);
  });

  test(`${name}: of several runs that wait for another, one goes at a time`, async () => {
    using scratch = new Scratch(shell);
    const log = scratch.at("log");
    const run = sh`begin_run
echo in >> ${log}
nap
keep ${scratch.at("log")} && echo out >> ${log}
finish_run`;
    const statuses = await Promise.all(Array.from({ length: 4 }, () => scratch.start("heard", run)));
    assert.deepEqual(statuses, [0, 0, 0, 0]);
    assert.equal(scratch.read("log"), "in\nout\n".repeat(4));
  });

  test(`${name}: a run that waits for another and is not heard any more does not begin`, async () => {
    using scratch = new Scratch(shell);
    mkdirSync(`${scratch.state}/run`, { recursive: true });
    const other = spawn("sh", ["-c", "read -r _ #begin"], { stdio: ["pipe", "ignore", "ignore"] });
    try {
      await once(other, "spawn");
      writeFileSync(`${scratch.state}/run/process`, `${other.pid}\n`);
      assert.equal(await scratch.start("unheard", begin, putFile(scratch.at("x"), "0644", "x"), finish), 1);
      assert.equal(scratch.read("state/run/process"), `${other.pid}\n`);
    } finally {
      other.stdin.end();
      await once(other, "exit");
    }
    const put = putFile(scratch.at("x"), "0644", "x");
    assert.equal(await scratch.start("unheard", begin, sh`echo begun; nap`, put, finish), 0);
    assert.equal(scratch.read("x"), "x\n");
  });

  test(`${name}: a change owes a restart, no change owes none`, () => {
    using scratch = new Scratch(shell);
    const owed = (): boolean => readdirSync(scratch.state).includes("restart-owed");
    scratch.run(false, begin, finish);
    assert.equal(owed(), false);
    scratch.run(false, begin, putFile(scratch.at("x"), "0644", "x"), finish);
    assert.equal(owed(), true);
  });

  test(`${name}: put works at the end of a pipeline too`, () => {
    using scratch = new Scratch(shell);
    writeFileSync(scratch.at("rules"), "a\nb\n");
    const edit = sh`{ cat ${scratch.at("rules")}; echo c; } | put ${scratch.at("rules")} "$(mode_of ${scratch.at("rules")})"`;
    scratch.run(true, begin, edit, edit, sh`undo_run`);
    assert.equal(scratch.read("rules"), "a\nb\n");
  });
}
