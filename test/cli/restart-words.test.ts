/** What `restart` and `start` say of a machine that is stopped, in 0.16.2's words. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sayAddressesMayChange } from "../../src/cli/named-machines.ts";
import type { ProgressEvent } from "../../src/log/event.ts";
import { stateNumber } from "../../src/driver-kit/state.ts";
import { openCommandLine, pluginRecord, samplePlugin } from "./command-line.ts";

for (const [verb, first, last] of [
  ["start", [], "Started"],
  ["restart", ['Restarting "box"...'], "Restarted"],
] as const) {
  test(verb, async () => {
    await using shell = await openCommandLine();
    await shell.addPlugin("sample", samplePlugin);
    await shell.addRecord("box", pluginRecord("box", "sample", stateNumber("Stopped")));
    const { stdout } = await shell.run([verb, "box"], { env: { MACHINE_TIMEOUT_SSH: "1s", MACHINE_TIMEOUT_ENGINE: "1s" } });
    const lines = stdout.split("\n");
    assert.deepEqual(lines.slice(0, first.length + 2), [...first, 'Starting "box"...', 'Machine "box" was started.']);
  });

  test(`${verb} ends with words of its own`, () => {
    const said: ProgressEvent[] = [];
    sayAddressesMayChange(last, { program: { base: "docker-machine" }, report: (event) => void said.push(event) });
    const text = `${last} machines may have new IP addresses. You may need to re-run the \`docker-machine env\` command.`;
    assert.deepEqual(said, [{ type: "log", level: "info", text }]);
  });
}
