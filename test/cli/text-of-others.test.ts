/** What engines, plugins and records say cannot look like text of ours. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { engineFor } from "./engine-fixture.ts";
import { badPlugin, openCommandLine, pluginRecord } from "./command-line.ts";

describe("text of others", () => {
  it("forges no row of ls and no second line of a fact", async () => {
    await using shell = await openCommandLine();
    await shell.ok("create -d none --url=tcp://127.0.0.1:1 seed");
    await using engine = await engineFor(shell, "29\nforged   *   none   Running\u001B[2J");
    await shell.ok(`create -d none --url=${engine.url} web`);
    const rows = (await shell.ok("ls --filter name=web")).trimEnd().split("\n");
    assert.equal(rows.length, 2, rows.join("|"));
    assert.match(rows[1] ?? "", /v29 forged {3}\* {3}none {3}Running\uFFFD\[2J/u);
    assert.equal((await shell.ok("version web")).split("\n").length, 2);
  });

  it("of a record is one line, too", async () => {
    await using shell = await openCommandLine();
    const config = '"URL": "tcp://127.0.0.1:1", "IPAddress": "1\\n2\\u001b[31m"';
    await shell.addRecord("odd", pluginRecord("odd", "none", 1).replace('"IPAddress": "127.0.0.1"', config));
    const { stdout } = await shell.run(["ip", "odd"]);
    assert.equal(stdout.includes("\u001B"), false);
    assert.ok(stdout.split("\n").length <= 2, stdout);
    assert.equal((await shell.ok("ls")).trimEnd().split("\n").length, 2);
  });

  it("of a plugin cannot move the cursor", async () => {
    await using shell = await openCommandLine();
    await shell.addPlugin("bad", badPlugin("paints"));
    const { stdout, stderr } = await shell.run(["create", "-d", "bad", "web"]);
    assert.match(stdout + stderr, /painted/u);
    assert.equal((stdout + stderr).includes("\u001B"), false);
    assert.equal((stdout + stderr).includes("\r"), false);
  });
});
