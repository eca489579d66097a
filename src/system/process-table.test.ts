import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { thisComputer } from "./computer.ts";
import { SystemProcessTable } from "./process-table.ts";
import { SystemProcessRunner } from "./process.ts";

const computer = thisComputer();
const table = new SystemProcessTable(computer, new SystemProcessRunner(computer));

test("a process is found by its pid and by its words, is signalled, and is gone when it has ended", async () => {
  const mark = `mark-${process.pid}-${Date.now()}`;
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)", mark], { stdio: "ignore" });
  await once(child, "spawn");
  const pid = child.pid ?? 0;
  assert.ok((await table.commandLine(pid))?.includes(mark));
  assert.deepEqual(await table.findByCommandLine(mark), [pid]);
  assert.equal(await table.isFrozen(pid), false);
  table.signal(pid, "SIGSTOP");
  // The signal is sent at once and heeded soon.
  for (const soon = AbortSignal.timeout(10_000); !(await table.isFrozen(pid));) soon.throwIfAborted();
  table.signal(pid, "SIGCONT");
  assert.equal(await table.isFrozen(pid), false);
  table.signal(pid, "SIGKILL");
  await once(child, "exit");
  assert.equal(await table.commandLine(pid), undefined);
  assert.equal(await table.isFrozen(pid), false);
  table.signal(pid, "SIGKILL");
});
