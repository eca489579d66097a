/** Whose a record is: plugins of others share names with built-in drivers, report names of their own, and are found by name only. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { describe, it } from "node:test";
import { badPlugin, openCommandLine, pluginRecord, samplePlugin, type CommandLine } from "./command-line.ts";

describe("a record under the name of a built-in driver that 0.16.2 had not", () => {
  for (const name of ["qemu", "docker"]) {
    it(`${name}: is opened by the plugin that made it, and by no other`, async () => {
      await using shell = await openCommandLine();
      await shell.addRecord("theirs", pluginRecord("theirs", name, 1));
      const before = await shell.recordText("theirs");

      for (const words of ["status theirs", "stop theirs", "rm -y theirs"]) {
        const { code, stderr } = await shell.run(words.split(" "));
        assert.equal(code, 1, words);
        assert.match(
          stderr,
          new RegExp(`Driver "${name}" not found\\. Do you have the plugin binary accessible in your PATH\\?`, "u"),
        );
        assert.match(stderr, new RegExp(`Hint: Install docker-machine-driver-${name} in a folder of PATH\\.`, "u"));
      }
      assert.equal(await shell.recordText("theirs"), before);
      assert.equal(await shell.ok("ls -q"), "theirs\n");

      await shell.addPlugin(name, samplePlugin);
      assert.equal(await shell.ok("status theirs"), "Running\n");
      await shell.ok("stop theirs");
      assert.equal(await shell.ok("status theirs"), "Stopped\n");
      await shell.ok("rm -y theirs");
      assert.equal(existsSync(shell.recordPath("theirs")), false);
    });
  }

  it("is ours with the keys that ours always had, also beside a plugin and without what newer ones add", async () => {
    await using shell = await openCommandLine();
    await shell.addPlugin("qemu", samplePlugin);
    const ours = { InstanceId: "", ImageDigest: "", Accelerator: "auto", Created: false };
    const text = pluginRecord("mine", "qemu", 1).replace(/"State": 1/u, JSON.stringify(ours).slice(1, -1));
    await shell.addRecord("mine", text);
    assert.equal(await shell.ok("ls -f {{.DriverName}}/{{.State}}"), "qemu/Stopped\n");
  });

  it("under one of 0.16.2's own names is ours, whoever wrote it", async () => {
    await using shell = await openCommandLine();
    await shell.addPlugin("generic", badPlugin("ends early"));
    await shell.addRecord("box", pluginRecord("box", "generic", 1));
    assert.equal(await shell.ok("ip box"), "127.0.0.1\n");
  });
});

describe("a driver's name in a record", () => {
  it("never chooses the program that is run", async () => {
    await using shell = await openCommandLine();
    await shell.addPlugin("evil", `require("node:fs").writeFileSync(${JSON.stringify(path.join(shell.folder, "ran"))}, "");`);
    const program = path.join(shell.folder, "bin", "docker-machine-driver-evil");
    await shell.addRecord("web", pluginRecord("web", program, 1));
    for (const words of ["ls", "status web", "ip web", "env web", "inspect web", "rm -y web", "rm -f web"])
      await shell.run(words.split(" "));
    assert.equal(existsSync(path.join(shell.folder, "ran")), false);
  });

  it("of an older record that is a path is mended as the hint says", async () => {
    await using shell = await openCommandLine();
    await shell.addPlugin("sample", samplePlugin);
    const program = path.join(shell.folder, "bin", "docker-machine-driver-sample");
    await shell.addRecord("web", pluginRecord("web", program, 1));
    const { stderr } = await shell.run(["status", "web"]);
    assert.match(
      stderr,
      /put docker-machine-driver-sample into a folder of PATH, and "sample" for DriverName into config\.json/u,
    );
    await shell.addRecord("web", pluginRecord("web", "sample", 1));
    assert.equal(await shell.ok("status web"), "Running\n");
  });

  it("is what the plugin reports; of one that calls itself ci-test no host is set up", async () => {
    await using shell = await openCommandLine();
    await shell.addPlugin("asked", badPlugin("calls itself ci-test"));
    await shell.ok("create -d asked web");
    const { DriverName } = JSON.parse(await shell.recordText("web")) as { DriverName: string };
    assert.equal(DriverName, "ci-test");
    const { stderr } = await shell.run(["status", "web"]);
    assert.match(stderr, /Driver "ci-test" not found/u, "as 0.16.2, it is looked for by that name");
    await copyFile(
      path.join(shell.folder, "bin", "docker-machine-driver-asked"),
      path.join(shell.folder, "bin", "docker-machine-driver-ci-test"),
    );
    assert.equal(await shell.ok("status web"), "Running\n");
  });

  it("is the plugin's own where a command line gave its path, and where later commands will not find it that is said", async () => {
    await using shell = await openCommandLine();
    await shell.addPlugin("apart", badPlugin("calls itself ci-test"));
    const program = path.join(shell.folder, "work", "docker-machine-driver-apart");
    await copyFile(path.join(shell.folder, "bin", "docker-machine-driver-apart"), program);
    const { code, stdout, stderr } = await shell.run(["create", "-d", program, "web"]);
    assert.equal(code, 0, stderr);
    assert.match(stdout + stderr, /Later commands look for docker-machine-driver-ci-test on PATH/u);
    assert.equal((JSON.parse(await readFile(shell.recordPath("web"), "utf8")) as { DriverName: string }).DriverName, "ci-test");
  });
});

describe("what a create says", () => {
  it("begins with 0.16.2's words when the driver failed", async () => {
    await using shell = await openCommandLine();
    await shell.addPlugin("bad", badPlugin("fails its create"));
    const { code, stderr } = await shell.run(["create", "-d", "bad", "web"]);
    assert.equal(code, 1);
    assert.match(stderr, /^Error creating machine: Error in driver during machine creation: no capacity left$/mu);
  });

  it("is nothing of a plugin's own end", async () => {
    await using shell = await openCommandLine();
    await shell.addPlugin("ci-test", badPlugin("says that it closes"));
    const { code, stdout, stderr } = await shell.run(["create", "-d", "ci-test", "web"]);
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stdout + stderr, /Closing plugin/u);
  });
});

describe("what 0.16.2 drops when it saves a record", () => {
  /** 0.16.2 writes what its types hold, and no other key. */
  async function saveAs0162(shell: CommandLine, name: string): Promise<void> {
    const record = JSON.parse(await shell.recordText(name)) as Record<string, unknown> & { Driver: Record<string, unknown> };
    delete record["Extra"];
    delete record.Driver["SSHConfigHost"];
    delete record.Driver["SudoPasswordFile"];
    await shell.addRecord(name, JSON.stringify(record, undefined, 4));
  }

  it("is there again, and in the record with our next save", async () => {
    await using shell = await openCommandLine();
    await shell.addPlugin("sample", samplePlugin);
    const Extra = { EngineSource: "distro", CreateId: "c1" };
    const running = (): string => pluginRecord("web", "sample", 1);
    await shell.addRecord("web", running().replace(/\n\}$/u, `,\n    "Extra": ${JSON.stringify(Extra)}\n}`));
    await shell.ok("stop web");
    await shell.addRecord("web", running());
    await saveAs0162(shell, "web");
    await shell.ok("stop web");
    assert.deepEqual((JSON.parse(await shell.recordText("web")) as { Extra: unknown }).Extra, Extra);
  });

  it("of the generic driver is the way through ssh_config, by which the machine is still reached", async () => {
    await using shell = await openCommandLine();
    const text = pluginRecord("box", "generic", 1).replace('"State": 1', '"SSHConfigHost": "jump-entry", "SudoPasswordFile": ""');
    await shell.addRecord("box", text);
    await writeFile(
      path.join(path.dirname(shell.recordPath("box")), "kept.json"),
      '{"Driver": {"SSHConfigHost": "jump-entry"}, "Extra": {}}',
    );
    await saveAs0162(shell, "box");
    const trace = path.join(shell.folder, "arguments");
    await writeFile(path.join(shell.folder, "bin/ssh"), `#!/bin/sh\necho "$@" >> ${trace}\nexit 255\n`, { mode: 0o755 });
    await shell.run(["status", "box"]);
    assert.match(await readFile(trace, "utf8"), /jump-entry/u);
  });
});
