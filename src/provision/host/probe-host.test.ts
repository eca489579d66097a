import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { provisionRequest } from "../../../test/support/host-facts.ts";
import { LocalExecutor, runShell, shells } from "../../../test/support/shells.ts";
import { reportNothing } from "../../log/event.ts";
import { systemClock } from "../../system/clock.ts";
import { HostShell } from "./host-shell.ts";
import { factsFrom, RawFacts } from "../facts/parse-facts.ts";
import { probeHost } from "./probe-host.ts";
import { probeScript } from "../facts/probe-script.ts";
import { defaultBounds, type ProvisionContext } from "../provision-context.ts";
import { bootstrap, framedScript, parseScriptLine } from "../shell/script-protocol.ts";
import { LineSplitter } from "../../system/line-splitter.ts";

interface Said {
  readonly raw: RawFacts;
  readonly output: readonly string[];
  readonly kinds: ReadonlySet<string>;
}

function said(stdout: string): Said {
  const raw = new RawFacts();
  const output: string[] = [];
  const kinds = new Set<string>();
  const lines = new LineSplitter((line) => {
    const parsed = parseScriptLine(line);
    kinds.add(parsed.kind);
    if (parsed.kind === "fact") raw.add(parsed.key, parsed.value);
    else if (parsed.kind === "output") output.push(parsed.text);
  });
  lines.push(Buffer.from(stdout));
  lines.end();
  return { raw, output, kinds };
}

const script = framedScript(probeScript({ port: 2376, queryMs: defaultBounds.queryMs }));
const here = shells.map((shell) => ({ shell: shell.join(" "), result: runShell(shell, bootstrap, script) }));

/** Without what others may change on this computer meanwhile: locks, disks, firewalls, processes. */
function comparable(stdout: string): unknown {
  const { os, architecture, kernel, init, cgroups, privilege, packageManagers, programs, engine } = factsFrom(
    said(stdout).raw,
    0,
  );
  const { dockerdPath, version, ownerPackage, unitFiles, settingsFiles } = engine;
  const stable = { dockerdPath, version, ownerPackage, unitFiles, settingsFiles };
  return { os, architecture, kernel, init, cgroups, privilege, packageManagers, programs, ...stable };
}

for (const { shell, result } of here) {
  test(`the probe runs to its end in ${shell}, without a word beside its facts`, () => {
    assert.deepEqual([result.status, result.stderr], [0, ""]);
    const { output, kinds } = said(result.stdout);
    assert.deepEqual(
      output.filter((line) => line !== ""),
      [],
    );
    assert.ok(kinds.has("begin") && kinds.has("end"));
  });

  test(`${shell} tells the same facts as sh`, () => {
    assert.deepEqual(comparable(result.stdout), comparable(here[0]?.result.stdout ?? ""));
  });
}

test("what hangs on the host costs one bound, and is named", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "probe-"));
  try {
    for (const program of ["docker", "systemctl"])
      await writeFile(path.join(folder, program), "#!/bin/sh\ntrap '' TERM\nsleep 60\n", { mode: 0o755 });
    const env = { PATH: `${folder}:${process.env["PATH"]}` };
    const bounded = framedScript(probeScript({ port: 2376, queryMs: 1_000 }));
    const startedMs = performance.now();
    const { raw } = said(runShell(["sh"], bootstrap, bounded, env).stdout);
    assert.ok(performance.now() - startedMs < 10_000);
    // Only where there is a systemd is it asked for anything.
    assert.deepEqual(
      raw.all("hung").filter((words) => !words.startsWith("systemctl")),
      ["docker --version"],
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("no script holds what only some shells know", () => {
  for (const shell of shells)
    assert.deepEqual(runShell([...shell, "-n"], probeScript({ port: 2376, queryMs: defaultBounds.queryMs }).text).stderr, "");
});

function context(ssh: LocalExecutor): ProvisionContext {
  return { ssh, clock: systemClock, report: reportNothing, signal: new AbortController().signal };
}

test("one round trip tells who we are and what the host is", { skip: process.getuid?.() !== 0 && "needs root" }, async () => {
  const ssh = new LocalExecutor();
  const facts = await probeHost(new HostShell("here", context(ssh)), provisionRequest(), context(ssh), defaultBounds);
  assert.equal(ssh.roundTrips, 1);
  assert.deepEqual(facts.privilege, { kind: "root" });
  assert.ok(facts.seenAsRoot);
  assert.equal(facts.clockSkewMs, 0);
  assert.match(facts.kernel, /^\d+\.\d+/u);
  assert.ok(facts.disks.some((disk) => disk.mountPoint === "/" && disk.freeMiB > 0));
});

test("a host that is ahead is seen to be", async () => {
  const behind = { ...systemClock, now: () => new Date(Date.now() - 3_600_000) };
  const ssh = new LocalExecutor();
  const facts = await probeHost(
    new HostShell("here", context(ssh)),
    provisionRequest(),
    { ...context(ssh), clock: behind },
    defaultBounds,
  );
  assert.ok(Math.abs(facts.clockSkewMs - 3_600_000) < 10_000, String(facts.clockSkewMs));
});

test("an account that runs no commands is told apart from a host that lacks something", async () => {
  const ssh = new LocalExecutor({}, "false");
  await assert.rejects(
    probeHost(new HostShell("here", context(ssh)), provisionRequest(), context(ssh), defaultBounds),
    /here lets the user log in but runs no shell commands/u,
  );
});
