/** What several owners of one host record, in every shell against a scratch folder. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { runShell, shells } from "../../../test/support/shells.ts";
import { changingFunctions, putFile } from "./changing.ts";
import { answering, scriptPrelude } from "./script-protocol.ts";
import { joinLines, sh, type ShellText } from "./shell-text.ts";

class Host implements Disposable {
  readonly folder = mkdtempSync(path.join(tmpdir(), "owners-"));
  readonly settings = path.join(this.folder, "settings");
  readonly state = path.join(this.folder, "state");
  readonly #shell: readonly string[];

  constructor(shell: readonly string[]) {
    this.#shell = shell;
    mkdirSync(path.join(this.folder, "etc"));
    writeFileSync(this.settings, "original\n");
  }

  run(owners: readonly string[], pieces: ShellText, options: { record?: boolean; isUnnamedRecordOurs?: boolean } = {}): void {
    const { record = true, isUnnamedRecordOurs } = options;
    const functions = changingFunctions({
      record,
      label: "web",
      packageLockSeconds: 1,
      mayRemove: true,
      owners,
      isUnnamedRecordOurs,
    });
    const script = joinLines(scriptPrelude, answering, functions, sh`begin_run`, pieces, sh`finish_run`);
    const { status, stderr } = runShell(this.#shell, script.text.replaceAll("/var/lib/docker-machine", this.state));
    assert.deepEqual([status, stderr], [0, ""]);
  }

  /** One owner's run: settings of theirs, and a package. */
  setUp(owner: string, former: readonly string[] = []): void {
    this.run([owner, ...former], joinLines(putFile(this.settings, "0644", `${owner}\n`), sh`remember package ${`of-${owner}`}`));
  }

  /** What an owner found, as their layer would put it back. */
  found(layer = ""): string {
    return readFileSync(path.join(this.state, layer, "original", this.settings), "utf8").trim();
  }

  /** What lies in the newest layer, apart from what tells runs from each other. */
  parts(): readonly string[] {
    return readdirSync(this.state)
      .filter((name) => !name.startsWith("run"))
      .toSorted();
  }

  lines(layer = "", file = "manifest"): readonly string[] {
    return readFileSync(path.join(this.state, layer, file), "utf8")
      .trimEnd()
      .split("\n");
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

for (const shell of shells) {
  const name = shell.join(" ");

  test(`each owner's record is of what they found, in ${name}`, () => {
    using host = new Host(shell);
    host.setUp("alice");
    host.setUp("bob");
    assert.deepEqual([host.found(), host.lines("", "owner")], ["alice", ["bob"]]);
    assert.deepEqual([host.found("below/1"), host.lines("below/1", "owner")], ["original", ["alice"]]);
    assert.ok(!host.lines().includes("package\tof-alice"));
    host.setUp("bob");
    assert.deepEqual([host.found(), readdirSync(path.join(host.state, "below"))], ["alice", ["1"]]);
  });

  test(`a run that changes nothing takes nothing over, in ${name}`, () => {
    using host = new Host(shell);
    host.setUp("alice");
    host.run(["bob"], putFile(host.settings, "0644", "alice\n"));
    assert.deepEqual([host.lines("", "owner"), existsSync(path.join(host.state, "below"))], [["alice"], false]);
  });

  test(`an owner with a new authority is the same owner, in ${name}`, () => {
    using host = new Host(shell);
    host.setUp("alice");
    host.setUp("alice-anew", ["alice"]);
    assert.deepEqual([host.found(), host.lines("", "owner")], ["original", ["alice", "alice-anew"]]);
  });

  test(`a record without a name is its owner's, or another's where that is known, in ${name}`, () => {
    using host = new Host(shell);
    host.setUp("alice");
    rmSync(path.join(host.state, "owner"));
    host.run(["alice"], putFile(host.settings, "0644", "changed\n"), { isUnnamedRecordOurs: true });
    assert.equal(host.found(), "original");
    rmSync(path.join(host.state, "owner"));
    host.run(["bob"], putFile(host.settings, "0644", "bob\n"), { isUnnamedRecordOurs: false });
    assert.deepEqual([host.found(), host.found("below/1")], ["changed", "original"]);
  });

  test(`what the newest owner recorded goes with them, in ${name}`, () => {
    using host = new Host(shell);
    host.setUp("alice");
    host.setUp("bob");
    host.run([], sh`pop_layer; mkdir -p ${host.state}/run`, { record: false });
    assert.deepEqual([host.found(), host.lines("", "owner")], ["original", ["alice"]]);
    assert.deepEqual(host.parts(), ["manifest", "original", "owner", "sums"]);
    host.run([], sh`pop_layer; mkdir -p ${host.state}/run`, { record: false });
    assert.deepEqual(host.parts(), []);
  });

  test(`an owner who goes while another is on top leaves them what there was at first, in ${name}`, () => {
    using host = new Host(shell);
    host.setUp("alice");
    host.setUp("bob");
    host.setUp("carol");
    host.run([], sh`merge_layer 1`, { record: false });
    assert.deepEqual([host.found("below/2"), host.lines("below/2", "owner")], ["original", ["bob"]]);
    assert.deepEqual(host.lines("below/2").toSorted(), [
      `file-changed\t${host.settings}`,
      "package\tof-alice",
      "package\tof-bob",
    ]);
    host.run([], sh`merge_layer 2`, { record: false });
    assert.deepEqual([host.found(), host.lines("", "owner")], ["original", ["carol"]]);
    assert.ok(!existsSync(path.join(host.state, "below")));
  });
}
