/** A look for drift over a real SSH server: one connection a machine, keys that nobody pinned are not taken. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { describe, it } from "node:test";
import { startSshd, whyNot } from "../ssh/real-servers.ts";
import { openCommandLine } from "./command-line.ts";
import { addSshMachine } from "./ssh-machines.ts";

describe("drift over SSH", { skip: whyNot("sshd") ?? false }, () => {
  it("tells what provisioning would change on a host, and that another host answers in its place", async () => {
    const [server, other] = [await startSshd(), await startSshd()];
    await using shell = await openCommandLine();
    try {
      const mark = { Name: "shop", Flags: { "generic-ip-address": server.hostName }, Labels: [] };
      for (const name of ["web-1", "web-2", "web-3"])
        await addSshMachine(shell, server, { name, extra: { EngineTransport: "ssh", Fleet: mark } });
      const machines = `  web-[1-3]: {driver: generic, generic-ip-address: "${server.hostName}"}`;
      await writeFile(path.join(shell.folder, "work", "machines.yml"), `version: 1\nfleet: shop\nmachines:\n${machines}\n`);
      await shell.ok("exec web-1 web-2 -- true");
      const record = await shell.recordText("web-2");
      await writeFile(shell.recordPath("web-2"), record.replaceAll(String(server.port), String(other.port)));
      const pinned = await readFile(path.join(path.dirname(shell.recordPath("web-1")), "known_hosts"), "utf8");
      const { code, stdout, stderr } = await shell.run(["drift", "--detailed-exitcode"]);
      // Here no dockerd runs that an init system started.
      assert.match(stdout, /≠ web-1 {2}\S+: .*, not /u, stderr);
      assert.match(stdout, /≠ web-2 {2}host-key: another one, not the pinned one\n/u);
      assert.match(stdout, /\? web-3 {2}unknown: The host key of "web-3" .* is not known/u);
      assert.match(stdout, /\n2 of 3 machines differ from their records, 1 could not be looked at\.\n$/u);
      assert.equal(code, 1);
      assert.equal(await readFile(path.join(path.dirname(shell.recordPath("web-1")), "known_hosts"), "utf8"), pinned);
      await assert.rejects(readFile(path.join(path.dirname(shell.recordPath("web-3")), "known_hosts")), { code: "ENOENT" });
      const asked = await shell.run(["destroy", "--fleet", "shop"], { stdin: "no\n" });
      assert.match(asked.stdout, /^web-1, web-2, web-3: boxes that were there before, which stay as they were set up/mu);
      assert.doesNotMatch(asked.stdout, /remote instances/u);
      const restoring = await shell.run(["destroy", "--fleet", "shop", "--restore"], { stdin: "no\n" });
      assert.match(restoring.stdout, /^web-1, web-2, web-3: given back as they were$/mu);
    } finally {
      await server.stop();
      await other.stop();
    }
  });
});
