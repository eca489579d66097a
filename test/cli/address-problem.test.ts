/** A driver that cannot tell a machine's address, as many of 0.16.2's time cannot while it boots. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { badPlugin, openCommandLine, pluginRecord } from "./command-line.ts";

test("ls shows the state that the driver tells, and why there is no address", async () => {
  await using shell = await openCommandLine();
  await shell.addPlugin("shy", badPlugin("cannot tell its address"));
  await shell.addRecord("box", pluginRecord("box", "shy", 1));
  const { code, stdout, stderr } = await shell.run(["ls", "-f", "{{.Name}}|{{.State}}|{{.URL}}|{{.DockerVersion}}|{{.Error}}"]);
  assert.deepEqual([code, stdout, stderr], [0, "box|Starting||Unknown|IP address is not set\n", ""]);
  assert.equal(await shell.ok("ls -q --filter state=Starting"), "box\n");
  const noAddress = { code: 1, stdout: "", stderr: "Error getting IP address: IP address is not set\n" };
  assert.deepEqual(await shell.run(["ip", "box"]), noAddress);
});

test("status says in 0.16.2's words what kept it from the state", async () => {
  await using shell = await openCommandLine();
  await shell.addPlugin("dumb", badPlugin("fails to tell its state"));
  await shell.addRecord("box", pluginRecord("box", "dumb", 1));
  const stderr = "error getting state for host box: the provider is down\n";
  assert.deepEqual(await shell.run(["status", "box"]), { code: 1, stdout: "", stderr });
});
