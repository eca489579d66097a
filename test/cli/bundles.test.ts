/** Machines that are handed over: what goes along, what stays, who can open it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { describe, it } from "node:test";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { openBundle, sealBundle } from "../../src/machine/bundle/seal-bundle.ts";
import { parseBundle } from "../../src/machine/bundle/bundle.ts";
import { goldenText } from "../../src/store/testing/records.ts";
import { misfits, type Schema } from "../support/json-schema.ts";
import { openCommandLine, type CommandLine } from "./command-line.ts";
import { addSshMachine } from "./ssh-machines.ts";

const age = path.resolve(process.env["DOCKER_MACHINE_AGE"] ?? "build/age", "usr/bin/age");
const noAge = existsSync(age) ? false : "age is not unpacked; sh scripts/age-package.sh does that from Debian's packages";
const identity = await generateX25519Identity();
const recipient = await identityToRecipient(identity);

/** The words behind `import`. */
async function exported(shell: CommandLine, words: string): Promise<string> {
  await shell.ok(`export --to ${recipient} --file ../machines.age ${words}`);
  await writeFile(path.join(shell.folder, "identity"), `# created by a test\n${identity}\n`);
  return `--identity ${path.join(shell.folder, "identity")} ${path.join(shell.folder, "machines.age")}`;
}

describe("export and import", () => {
  it("give a machine to another store, byte for byte but for the folder", async () => {
    await using here = await openCommandLine();
    await using there = await openCommandLine();
    await here.addRecord("alpha", goldenText("alpha").replaceAll("/tmp/store", "STORE"));
    await writeFile(path.join(here.store, "machines/alpha/known_hosts"), "alpha ssh-ed25519 AAAA\n");
    const bundle = await exported(here, "alpha");
    const printed = await there.ok(`--output json import ${bundle}`);
    const facts = (JSON.parse(readFileSync("docs/facts.schema.json", "utf8")) as Schema).properties ?? {};
    assert.deepEqual(misfits(JSON.parse(printed), facts["import"] as Schema), []);
    const records = await Promise.all([here, there].map(async (shell) => await shell.recordText("alpha")));
    assert.equal(records[1], records[0]?.replaceAll(here.store, there.store));
    assert.equal(await readFile(path.join(there.store, "machines/alpha/known_hosts"), "utf8"), "alpha ssh-ed25519 AAAA\n");
  });

  it("leave the key behind by which a box was adopted, and say how to go on where it is not reached", async () => {
    await using here = await openCommandLine();
    await using there = await openCommandLine();
    const key = path.join(here.store, "machines/box/id_rsa");
    const server = { hostName: "127.0.0.1", port: 1, userName: "root", identityFile: key } as never;
    await addSshMachine(here, server, { name: "box" });
    await writeFile(key, "PRIVATE KEY OF ALICE");
    const bundle = await exported(here, "box");
    const { code, stderr } = await there.run(["import", ...bundle.split(" ")]);
    assert.equal(code, 0);
    assert.match(stderr, /could not be reached: .*docker-machine provision box/u);
    const { Driver: driver } = JSON.parse(await there.recordText("box")) as { Driver: Record<string, string> };
    assert.deepEqual([driver["SSHKey"], driver["SSHKeyPath"]], ["", ""]);
    await assert.rejects(readFile(path.join(there.store, "machines/box/id_rsa")));
  });

  it("give a box with a key pair of its own another one here, and a certificate of this store's authority", async () => {
    await using here = await openCommandLine();
    await using there = await openCommandLine();
    const key = path.join(here.store, "machines/box/machine_key");
    await addSshMachine(here, { hostName: "127.0.0.1", port: 1, userName: "root", identityFile: key } as never, { name: "box" });
    const kept = (await here.recordText("box")).replaceAll(`${here.store}/certs/`, `${here.store}/certs-before-fleet/`);
    await writeFile(here.recordPath("box"), kept.replace(`${here.store}/certs"`, `${here.store}/certs-before-fleet"`));
    await writeFile(key, "PRIVATE KEY OF THE BOX");
    await writeFile(`${key}.pub`, "ssh-ed25519 AAAA docker-machine box\n");
    const bundle = await exported(here, "box");
    await there.ok(`import ${bundle}`);
    const text = await there.recordText("box");
    const { Driver: driver } = JSON.parse(text) as { Driver: Record<string, string> };
    const imported = path.join(there.store, "machines/box/imported_key");
    assert.deepEqual([driver["SSHKeyPath"], driver["OwnKey"]], [imported, "wanted"]);
    assert.equal(await readFile(imported, "utf8"), "PRIVATE KEY OF THE BOX");
    assert.equal(
      existsSync(path.join(there.store, "machines/box/machine_key")),
      false,
      "what a restore takes out of authorized_keys",
    );
    assert.match(text, /"CertDir": "\S+\/store\/certs"/u);
    assert.doesNotMatch(text, /certs-before/u);
  });

  it("open for whom they are sealed, and for nobody else", async () => {
    await using here = await openCommandLine();
    await using there = await openCommandLine();
    await here.ok("create -d none --url tcp://127.0.0.1:1 web");
    const bundle = await exported(here, "web");
    const eve = path.join(there.folder, "eve");
    await writeFile(eve, await generateX25519Identity());
    const refused = await there.run(["import", "--identity", eve, path.join(here.folder, "machines.age")]);
    assert.match(refused.stderr, /sealed for somebody else[^]*export --to age1[0-9a-z]{58} NAME/u);
    const keyless = await there.run(["import", path.join(here.folder, "machines.age")], { stdin: "a passphrase\n" });
    assert.deepEqual([keyless.code, /sealed for somebody's key.*\nHint: .*--identity FILE/u.test(keyless.stderr)], [2, true]);
    assert.equal(await there.ok("ls -q"), "");
    await there.ok(`import ${bundle}`);
    assert.equal(await there.ok("url web"), "tcp://127.0.0.1:1\n");
    const again = await there.run(["import", ...bundle.split(" ")]);
    assert.match(again.stderr, /"web" already exists, and nothing was imported/u);
  });

  it("have a passphrase where that is asked for", async () => {
    await using here = await openCommandLine();
    await using there = await openCommandLine();
    await here.ok("create -d none --url tcp://127.0.0.1:1 web");
    const file = path.join(there.folder, "web.age");
    await writeFile(file, await here.ok("export --passphrase web", { stdin: "correct horse\n" }));
    const wrong = await there.run(["import", file], { stdin: "battery staple\n" });
    assert.notEqual(wrong.code, 0);
    assert.match(
      wrong.stderr,
      /cannot be opened: its passphrase is another, or it is damaged\nHint: Run the command again with/u,
    );
    assert.doesNotMatch(wrong.stderr, /battery/u);
    assert.equal(await there.ok("ls -q"), "");
    const silent = await there.run(["import", file]);
    assert.deepEqual([silent.code, /No passphrase was given\nHint: Type it/u.test(silent.stderr)], [2, true]);
    const folder = await there.run(["import", there.folder]);
    assert.deepEqual([folder.code, /is a folder\nHint: Name the file in it/u.test(folder.stderr)], [2, true]);
    const other = await there.run(["import", import.meta.filename]);
    assert.match(other.stderr, /is no bundle of machines: it was not sealed by age/u, "before it is asked for");
    await there.ok(`import ${file}`, { stdin: "correct horse\n" });
    assert.equal(await there.ok("url web"), "tcp://127.0.0.1:1\n");
  });

  it("are opened by Debian's age, and open what that has sealed", { skip: noAge }, async () => {
    await using here = await openCommandLine();
    await using there = await openCommandLine();
    await here.ok("create -d none --url tcp://127.0.0.1:1 web");
    const bundle = await exported(here, "web");
    const opened = execFileSync(age, ["--decrypt", "--identity", ...bundle.split(" ").slice(1)]);
    assert.equal(parseBundle(opened.toString("utf8")).machines[0]?.name, "web");
    const sealed = path.join(there.folder, "sealed.age");
    execFileSync(age, ["--encrypt", "--armor", "--recipient", recipient, "--output", sealed], { input: opened });
    await there.ok(`import --identity ${path.join(here.folder, "identity")} ${sealed}`);
    assert.equal(await there.ok("url web"), "tcp://127.0.0.1:1\n");
  });

  it("take the certificate authority along where that is asked for, and replace none", async () => {
    await using here = await openCommandLine();
    await using there = await openCommandLine();
    await using third = await openCommandLine();
    await here.ok("create -d none --url tcp://127.0.0.1:1 web");
    await third.ok("create -d none --url tcp://127.0.0.1:1 other");
    const bundle = await exported(here, "--with-ca web");
    const caOf = async (shell: CommandLine): Promise<string> => await readFile(path.join(shell.store, "certs/ca.pem"), "utf8");
    const before = await caOf(third);
    for (const shell of [there, third]) await shell.ok(`import ${bundle}`);
    assert.equal(await caOf(there), await caOf(here));
    assert.equal(await caOf(third), before);
    assert.notEqual(
      await readFile(path.join(there.store, "certs/key.pem"), "utf8"),
      await readFile(path.join(here.store, "certs/key.pem"), "utf8"),
    );
  });

  it("take all machines or none, whatever the bundle lacks", async () => {
    await using here = await openCommandLine();
    await using there = await openCommandLine();
    for (const name of ["one", "two"]) await here.ok(`create -d none --url tcp://127.0.0.1:1 ${name}`);
    const bundle = (await exported(here, "one two")).split(" ");
    const whole = await readFile(path.join(here.folder, "machines.age"), "utf8");
    const opened = await openBundle(whole, async () => ({ identities: [identity] }));
    const { machines } = JSON.parse(opened) as { machines: { name: string; record: string }[] };
    const spoilt = machines.map((machine, index) => ({ ...machine, ...(index === 1 ? { record: "{" } : {}) }));
    const foreign = machines.map((machine, index) => ({ ...machine, ...(index === 1 ? { name: "../two" } : {}) }));
    const seal = async (value: object): Promise<string> => await sealBundle(JSON.stringify(value), { recipients: [recipient] });
    for (const [what, text, sentence] of [
      ["cut in the middle", `${whole.slice(0, whole.length / 2)}\n`, /damaged, or a part of it is missing/u],
      ["of a newer version", await seal({ kind: "docker-machine bundle 2", machines }), /made by a newer docker-machine/u],
      ["of another kind", await seal({ kind: "holiday photos" }), /sealed by age, and is no bundle of machines/u],
      [
        "spoilt",
        await seal({ kind: "docker-machine bundle 1", machines: spoilt }),
        /record of "two" in the bundle cannot be read/u,
      ],
      [
        "with a strange name",
        await seal({ kind: "docker-machine bundle 1", machines: foreign }),
        /Error importing machine: Invalid hostname/u,
      ],
    ] as const) {
      await writeFile(path.join(here.folder, "machines.age"), text);
      const { code, stderr } = await there.run(["import", ...bundle]);
      assert.notEqual(code, 0, what);
      assert.match(stderr, sentence, what);
      assert.equal(await there.ok("ls -q"), "", what);
    }
    await writeFile(path.join(here.folder, "machines.age"), whole);
    await there.ok("create -d none --url tcp://127.0.0.1:1 two");
    const taken = await there.run(["import", ...bundle]);
    assert.match(taken.stderr, /"two" already exists, and nothing was imported/u);
    assert.equal(await there.ok("ls -q"), "two\n");
  });

  for (const [what, text, sentence] of [
    ["no bundle", "hello\n", /was not sealed by age/u],
    ["an empty file", "", /was not sealed by age/u],
    [
      "one of which a part is missing",
      "-----BEGIN AGE ENCRYPTED FILE-----\nYWdlLWVuY3J5",
      /damaged, or a part of it is missing/u,
    ],
  ] as const)
    it(`refuse ${what}`, async () => {
      await using there = await openCommandLine();
      await mkdir(there.store, { recursive: true });
      await writeFile(path.join(there.folder, "file"), text);
      await writeFile(path.join(there.folder, "key"), identity);
      const { code, stderr } = await there.run([
        "import",
        "--identity",
        path.join(there.folder, "key"),
        path.join(there.folder, "file"),
      ]);
      assert.notEqual(code, 0);
      assert.match(stderr, sentence);
    });
});
