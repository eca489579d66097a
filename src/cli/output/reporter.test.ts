import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LogLevel } from "../../log/event.ts";
import { Redactor } from "../../log/redact.ts";
import { FakeClock } from "../../system/fake-clock.ts";
import { fakeStreams } from "../testing/fake-terminal.ts";
import { Reporter, type ReporterOptions } from "./reporter.ts";
import { Screen } from "./screen.ts";

function setUp(options: Partial<ReporterOptions> = {}) {
  const streams = fakeStreams();
  const redactor = new Redactor();
  const reporter = new Reporter({
    screen: new Screen(streams),
    redactor,
    clock: new FakeClock(),
    debug: false,
    format: "text",
    output: "progress",
    ...options,
  });
  const log = (level: LogLevel, text: string): void => reporter.report({ type: "log", level, text });
  return { reporter, redactor, log, written: () => ({ out: streams.stdout.text, err: streams.stderr.text }) };
}

describe("Reporter", () => {
  it("sends what informs and warns to standard output, the rest to standard error", () => {
    const { log, written } = setUp({ debug: true });
    for (const level of ["debug", "info", "warn", "error"] as const) log(level, level);
    assert.deepEqual(written(), { out: "info\nwarn\n", err: "debug\nerror\n" });
  });

  it("keeps standard output for results where programs read it", () => {
    const { log, written } = setUp({ output: "facts" });
    for (const level of ["info", "warn", "error"] as const) log(level, level);
    assert.deepEqual(written(), { out: "", err: "info\nwarn\nerror\n" });
  });

  it("shows debug lines with --debug only", () => {
    const { log, written } = setUp();
    log("debug", "detail");
    assert.deepEqual(written(), { out: "", err: "" });
  });

  it("prefixes every line of one machine among several, once", () => {
    const { reporter, written } = setUp();
    const report = reporter.reportFor("web", true);
    report({ type: "log", level: "info", text: "one\ntwo" });
    report({ type: "log", level: "info", text: "from the driver", machine: "web" });
    report({ type: "log", level: "info", text: 'Starting "web"...' });
    reporter.reportFor("solo", false)({ type: "creating-instance" });
    assert.equal(written().out, '(web) one\n(web) two\n(web) from the driver\nStarting "web"...\nCreating machine...\n');
  });

  it("hides secrets, in text and in JSON", () => {
    for (const format of ["text", "json"] as const) {
      const { log, redactor, written } = setUp({ format });
      redactor.add('tok"en-1234');
      log("info", 'using tok"en-1234');
      assert.ok(!/en-1234/u.test(written().out), written().out);
      assert.match(written().out, /\[redacted\]/u);
    }
  });

  it("writes events as NDJSON, also those without a line", () => {
    const { reporter, written } = setUp({ format: "json" });
    reporter.reportFor("web", true)({ type: "transfer", what: "image", doneBytes: 1, totalBytes: 2 });
    reporter.report({ type: "engine-ready" });
    const lines = written().out.trimEnd().split("\n");
    assert.deepEqual(
      lines.map((line) => JSON.parse(line) as unknown),
      [
        { time: "2026-01-02T03:04:05.000Z", machine: "web", type: "transfer", what: "image", doneBytes: 1, totalBytes: 2 },
        { time: "2026-01-02T03:04:05.000Z", type: "engine-ready" },
      ],
    );
  });
});
