/** Stores as they are found: of every version, of 0.16.2, damaged, and ours in 0.16.2. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readFile, stat } from "node:fs/promises";
import * as path from "node:path";
import { describe, it } from "node:test";
import { fixtureText, goldenMachines, goldenText } from "../../src/store/testing/records.ts";
import { original, originalMissing } from "../support/original.ts";
import { openCommandLine, pluginRecord, samplePlugin, type CommandLine } from "./command-line.ts";

/** The fixtures, and the address that each knows. */
const oldVersions = {
  "version-0-of-0.1": "",
  "version-0-of-0.3": "192.168.99.100",
  "version-1": "192.168.99.100",
  "version-2": "203.0.113.7",
};
const oldRoot = "/home/ana/.docker/machine";

/** The fixture as a machine of the sample driver, which runs. */
function oldRecord(fixture: string): string {
  const text = fixtureText(fixture).replaceAll(oldRoot, "STORE");
  return text.replace(/("DriverName": ?)"\w+"/u, '$1"sample"').replace(/("Driver": ?\{)/u, '$1"State":1,');
}

describe("a store of an older version", () => {
  for (const [fixture, address] of Object.entries(oldVersions)) {
    it(`${fixture} is read as it stands, and becomes version 3 with a backup once it changes`, async () => {
      await using shell = await openCommandLine();
      await shell.addPlugin("sample", samplePlugin);
      await shell.addRecord("dev", oldRecord(fixture));
      const before = await shell.recordText("dev");

      assert.equal(await shell.ok("ls -q"), "dev\n");
      assert.equal(await shell.ok("inspect dev -f {{.ConfigVersion}}/{{.DriverName}}/{{.Name}}"), "3/sample/dev\n");
      assert.equal(await shell.ok("ip dev"), `${address}\n`);
      assert.equal(await shell.ok("inspect -f {{.HostOptions.AuthOptions.StorePath}} dev"), `${shell.store}/machines/dev\n`);
      assert.equal(await shell.recordText("dev"), before);

      assert.equal(await shell.ok("stop dev"), 'Stopping "dev"...\nMachine "dev" was stopped.\n');
      const after = await shell.recordText("dev");
      assert.match(after, /^\{\n {4}"ConfigVersion": 3,\n/u);
      assert.equal(await readFile(`${shell.recordPath("dev")}.bak`, "utf8"), before);
      assert.equal((await stat(`${shell.recordPath("dev")}.bak`)).mode & 0o777, 0o600);
      assert.equal(await shell.ok("status dev"), "Stopped\n");
    });
  }
});

async function withGoldenStore(): Promise<CommandLine> {
  const shell = await openCommandLine();
  for (const name of goldenMachines) await shell.addRecord(name, goldenText(name).replaceAll("/tmp/store", "STORE"));
  return shell;
}

describe("a store of 0.16.2", () => {
  it("is read without a byte of it changing", async () => {
    await using shell = await withGoldenStore();
    const before = await Promise.all(goldenMachines.map(shell.recordText));
    assert.equal(await shell.ok("ls -q"), "alpha\nbeta10\nbeta2\nmaster\n");
    for (const name of goldenMachines) {
      const text = await shell.recordText(name);
      assert.equal(await shell.ok(`inspect ${name}`), `${text}\n`);
      assert.match(await shell.ok(`url ${name}`), /^tcp:\/\/127\.0\.0\.\d+:\d+\n$/u);
    }
    await shell.ok("ip alpha beta2 beta10 master");
    await shell.ok("ls");
    assert.deepEqual(await Promise.all(goldenMachines.map(shell.recordText)), before);
  });

  it("keeps unknown keys, 64-bit numbers and the order of keys when a record changes", async () => {
    await using shell = await openCommandLine();
    await shell.addPlugin("sample", samplePlugin);
    const odd = '"Zeta": 9007199254740993,\n        "State": 1,\n        "Alpha": {"b":1.0,"a":[]}';
    const text = pluginRecord("web", "sample", 1)
      .replace(/"State": 1/u, odd)
      .replace(/\n\}$/u, ',\n    "Later": {"x": 18446744073709551615}\n}');
    await shell.addRecord("web", text);
    await shell.ok("stop web");
    const changed = await shell.recordText("web");
    assert.match(changed, /"Later": \{\s*"x": 18446744073709551615\s*\}/u);
    assert.ok(changed.indexOf('"Driver"') < changed.indexOf('"DriverName"'));
  });
});

describe("a damaged store", () => {
  it("shows a truncated record, refuses to lose its instance, and forgets it when forced", async () => {
    await using shell = await withGoldenStore();
    await shell.addRecord("alpha", '{\n    "ConfigVersion": 3,\n    "Driver": {');
    const inspected = await shell.run(["inspect", "alpha"]);
    assert.equal(inspected.code, 1);
    assert.equal(inspected.stdout, "");
    assert.match(inspected.stderr, /config\.json/u);
    assert.doesNotMatch(inspected.stderr, /\n {4}at /u);

    const listed = await shell.ok("ls -f {{.Name}}/{{.DriverName}}/{{.State}}");
    assert.deepEqual(listed.split("\n").slice(0, 2), ["alpha/not found/Error", "beta2/none/Running"]);
    assert.equal(await shell.ok("ls -q"), "beta10\nbeta2\nmaster\n");

    assert.equal((await shell.run(["rm", "-y", "alpha"])).code, 1);
    assert.ok(existsSync(shell.recordPath("alpha")));
    assert.equal((await shell.run(["rm", "-f", "alpha"])).code, 0);
    assert.ok(!existsSync(path.dirname(shell.recordPath("alpha"))));
  });

  it("says of a record of a newer version what to do", async () => {
    await using shell = await withGoldenStore();
    const future = (await shell.recordText("alpha")).replace('"ConfigVersion": 3', '"ConfigVersion": 4');
    await shell.addRecord("alpha", future);
    const { code, stderr } = await shell.run(["url", "alpha"]);
    assert.equal(code, 1);
    assert.match(stderr, /^config version is from the future -- you should upgrade your Docker Machine client\n/u);
    assert.match((await shell.run(["start", "alpha"])).stderr, /from the future/u);
    assert.equal(await shell.recordText("alpha"), future);
  });

  it("lets an empty folder block nothing", async () => {
    await using shell = await openCommandLine();
    await mkdir(path.join(shell.store, "machines", "web"), { recursive: true });
    assert.equal(await shell.ok("ls -q"), "");
    assert.equal((await shell.run(["inspect", "web"])).code, 4);
    await shell.ok("create -d none --url tcp://127.0.0.1:1 web");
    assert.equal(await shell.ok("ls -q"), "web\n");
  });

  it("holds two names that differ only in case apart, and makes no more of them", async () => {
    await using shell = await openCommandLine();
    for (const name of ["Foo", "foo"]) {
      await shell.addRecord(name, goldenText("alpha").replaceAll("/tmp/store", "STORE").replaceAll("alpha", name));
    }
    assert.equal(await shell.ok("ls -q"), "Foo\nfoo\n");
    assert.deepEqual((await shell.ok("ls -f {{.Name}}")).trim().split("\n").toSorted(), ["Foo", "foo"]);
    const { code, stderr } = await shell.run(["create", "-d", "none", "--url", "tcp://127.0.0.1:1", "FOO"]);
    assert.equal(code, 1);
    assert.match(stderr, /already exists/u);
    await shell.ok("rm -y foo");
    assert.equal(await shell.ok("ls -q"), "Foo\n");
  });
});

describe("a store of ours in 0.16.2", { skip: originalMissing }, () => {
  const creations = [
    "--url tcp://127.0.0.1:1 plain",
    "--url tcp://127.0.0.1:2 --engine-label a=b --engine-env X=y --tls-san example.test --engine-opt log-level=warn rich",
    "--url tcp://127.0.0.1:3 --swarm --swarm-master --swarm-discovery token://x --swarm-opt a=b master",
  ];

  it("is listed, shown and removed there as here", async () => {
    await using shell = await openCommandLine();
    for (const flags of creations) await shell.ok(`create -d none ${flags}`);
    const theirs = { program: [original] };
    for (const words of ["ls", "ls -q", "inspect plain", "inspect rich", "inspect master", "url rich", "ip master"]) {
      assert.equal(await shell.ok(words, theirs), await shell.ok(words), words);
    }
    await shell.ok("rm -y rich", theirs);
    assert.equal(await shell.ok("ls -q"), "master\nplain\n");
  });

  it("has its certificates used there", async () => {
    await using shell = await openCommandLine();
    await shell.ok(`create -d none ${creations[0]}`);
    const before = await readFile(path.join(shell.store, "certs", "ca.pem"), "utf8");
    await shell.ok("create -d none --url tcp://127.0.0.1:4 theirs", { program: [original] });
    assert.equal(await readFile(path.join(shell.store, "certs", "ca.pem"), "utf8"), before);
    assert.equal(await shell.ok("url theirs"), "tcp://127.0.0.1:4\n");
  });
});
