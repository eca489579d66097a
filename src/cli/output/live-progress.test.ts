import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MachineError } from "../../errors/machine-error.ts";
import { Redactor } from "../../log/redact.ts";
import { FakeClock } from "../../system/fake-clock.ts";
import { fakeStreams } from "../testing/fake-terminal.ts";
import { LiveProgress } from "./live-progress.ts";
import { Reporter } from "./reporter.ts";
import { Screen } from "./screen.ts";

function setUp(names: readonly string[], size: { columns?: number; rows?: number } = {}) {
  const streams = fakeStreams({ isTerminal: true, ...size });
  const screen = new Screen(streams);
  const clock = new FakeClock();
  const redactor = new Redactor();
  const reporter = new Reporter({ screen, redactor, clock, debug: false, format: "text", output: "progress" });
  const view = new LiveProgress(reporter, screen, "stdout", clock, names);
  return { view, clock, screen, redactor, reporter, visible: () => streams.stdout.visible() };
}

describe("LiveProgress of one machine", () => {
  it("prints 0.16.2's lines, and below them how long the step takes", async () => {
    const { view, clock, visible } = setUp(["web"]);
    const report = view.reportFor("web");
    report({ type: "creating-instance" });
    assert.deepEqual(visible(), ["Creating machine..."]);
    await clock.advance(3_000);
    assert.deepEqual(visible(), ["Creating machine...", "  3 s"]);
    report({ type: "waiting-for-ssh" });
    assert.deepEqual(visible(), ["Creating machine...", "Waiting for SSH to be available..."]);
    view.close();
    assert.deepEqual(visible(), ["Creating machine...", "Waiting for SSH to be available..."]);
  });

  it("says which phase is running, and keeps how long each took", async () => {
    const { view, clock, visible } = setUp(["web"]);
    const report = view.reportFor("web");
    report({ type: "creating-instance" });
    report({ type: "phase-started", phase: "Booting the image" });
    await clock.advance(20_000);
    assert.deepEqual(visible(), ["Creating machine...", "  20 s  Booting the image"]);
    report({ type: "phase-finished", phase: "Booting the image", durationMs: 20_420 });
    report({ type: "waiting-for-ssh" });
    await clock.advance(3_000);
    view.close();
    assert.deepEqual(visible(), ["Creating machine...", "  Booting the image: 20.4 s", "Waiting for SSH to be available..."]);
  });

  it("shows how far a transfer is", () => {
    const { view, visible } = setUp(["web"]);
    const report = view.reportFor("web");
    report({ type: "transfer", what: "image", doneBytes: 52_428_800, totalBytes: 209_715_200 });
    assert.deepEqual(visible(), ["  0 s  50 of 200 MiB, 25 %"]);
    report({ type: "transfer", what: "image", doneBytes: 52_428_800 });
    assert.deepEqual(visible(), ["  0 s  50 MiB"]);
    view.close();
  });
});

describe("LiveProgress of several machines", () => {
  it("gives each a line, and keeps their outcome", async () => {
    const { view, clock, visible } = setUp(["a", "beta"]);
    view.reportFor("a")({ type: "creating-instance" });
    view.reportFor("beta")({ type: "pre-create-check" });
    await clock.advance(12_000);
    assert.deepEqual(visible(), ["a       12 s  Creating machine...", "beta    12 s  Running pre-create checks..."]);
    view.reportFor("a")({ type: "phase-started", phase: "Booting the image" });
    assert.deepEqual(visible(), ["a       12 s  Booting the image", "beta    12 s  Running pre-create checks..."]);
    view.reportFor("a")({ type: "phase-finished", phase: "Booting the image", durationMs: 0 });
    view.finish("a");
    view.finish("beta", new MachineError("timeout", "SSH did not answer\nwithin 3 s"));
    await clock.advance(5_000);
    assert.deepEqual(visible(), ["a       12 s  done", "beta    12 s  failed: SSH did not answer"]);
    view.close();
    view.close();
    assert.deepEqual(visible(), ["a       12 s  done", "beta    12 s  failed"], "why is told by the errors that follow");
  });

  it("prints above what must not be missed", () => {
    const { view, visible } = setUp(["a", "b"]);
    view.reportFor("a")({ type: "log", level: "info", text: "chatter" });
    view.reportFor("b")({ type: "log", level: "warn", text: "disk is nearly full" });
    view.reportFor("a")({ type: "host-key-pinned", host: "10.0.0.1", fingerprint: "SHA256:x", trust: "first-use" });
    assert.deepEqual(visible(), [
      "(b) disk is nearly full",
      "(a) Host key of 10.0.0.1 is SHA256:x, trusted on first use",
      "a     0 s  Host key of 10.0.0.1 is SHA256:x, trusted on first use",
      "b     0 s",
    ]);
    view.close();
  });

  it("fits the terminal", () => {
    const { view, visible } = setUp(["a", "b", "c", "d", "e"], { columns: 12, rows: 5 });
    view.reportFor("a")({ type: "creating-instance" });
    assert.deepEqual(visible(), ["a     0 s  ", "b     0 s", "... and 3 m"]);
    view.close();
  });

  it("hides secrets in steps and failures", () => {
    const { view, redactor, visible } = setUp(["a", "b"]);
    redactor.add("hunter22");
    view.reportFor("a")({ type: "log", level: "info", text: "with hunter22" });
    view.finish("b", new Error("hunter22 is wrong"));
    assert.deepEqual(visible(), ["a     0 s  with [redacted]", "b     0 s  failed: [redacted] is wrong"]);
    view.close();
  });
});

describe("Screen", () => {
  it("leaves the terminal to a question and draws again", async () => {
    const { view, screen, visible } = setUp(["a", "b"]);
    view.reportFor("a")({ type: "creating-instance" });
    await screen.withoutFooter(async () => {
      assert.deepEqual(visible(), []);
      view.reportFor("b")({ type: "pre-create-check" });
      assert.deepEqual(visible(), []);
    });
    assert.deepEqual(visible(), ["a     0 s  Creating machine...", "b     0 s  Running pre-create checks..."]);
    view.close();
  });

  it("leaves nothing of the footer where the program ends at once", () => {
    const { view, screen, visible } = setUp(["a", "b"]);
    view.reportFor("a")({ type: "creating-instance" });
    screen.write("stdout", "Interrupted.\n");
    assert.deepEqual(visible(), ["Interrupted.", "a     0 s  Creating machine...", "b     0 s"]);
    screen.close();
    assert.deepEqual(visible(), ["Interrupted."]);
    view.reportFor("b")({ type: "creating-instance" });
    assert.deepEqual(visible(), ["Interrupted."]);
  });
});
