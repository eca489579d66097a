/** `rename`, `edit` and `cache` on the command line. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import * as path from "node:path";
import { describe, it } from "node:test";
import { openCommandLine } from "./command-line.ts";
import { engineFor } from "./engine-fixture.ts";

describe("rename", () => {
  it("leaves a machine whose engine answers as before, by its new name alone", async () => {
    await using shell = await openCommandLine();
    await shell.ok("create -d none --url=tcp://127.0.0.1:1 seed");
    await using engine = await engineFor(shell);
    await shell.ok(`create -d none --url=${engine.url} web`);
    assert.equal(await shell.ok("rename web front"), '"web" is called "front" now.\n');
    assert.match(
      await shell.ok("env front"),
      /^export DOCKER_CERT_PATH="\S+\/machines\/front"$[^]*DOCKER_MACHINE_NAME="front"/mu,
    );
    assert.equal((await shell.run(["env", "web"])).code, 4);
    assert.equal(await shell.ok("ls -q"), "front\nseed\n");
    const record = await readFile(path.join(shell.store, "machines/front/config.json"), "utf8");
    assert.equal(record.includes("web"), false, record);
  });

  it("says what is wrong, and changes nothing", async () => {
    await using shell = await openCommandLine();
    await shell.ok("create -d none --url=tcp://127.0.0.1:1 web");
    await shell.ok("create -d none --url=tcp://127.0.0.1:1 db");
    for (const [words, code, said] of [
      [["rename", "web"], 2, /Expected a machine name and its new name/u],
      [["rename", "web", "db"], 1, /Docker machine "db" already exists/u],
      [["rename", "nobody", "new"], 4, /Docker machine "nobody" does not exist/u],
      [["rename", "web", "a b"], 1, /^Invalid hostname specified[^]*must not hold a blank/u],
      [["rename", "web", "n".repeat(300)], 1, /the name is too long\nHint: Choose a shorter name/u],
      [["edit", "web", "--cpus", "2"], 1, /driver none cannot change the size/u],
      [["edit", "web"], 2, /Nothing is given that is to change/u],
      [["edit", "web", "--memory", "much"], 2, /--memory "much" is no size/u],
      [["cache", "prune", "--older-than", "monday"], 2, /--older-than monday is no time/u],
    ] as const) {
      const result = await shell.run([...words]);
      assert.equal(result.code, code, `${words.join(" ")}: ${result.stderr}`);
      assert.match(result.stdout + result.stderr, said);
    }
    assert.equal(await shell.ok("ls -q"), "db\nweb\n");
  });
});

describe("create of several", () => {
  const urls = (count: number): string => Array.from({ length: count }, () => "--url=tcp://127.0.0.1:1").join(" ");

  it("begins none where a name is taken or no name, or a flag will not do", async () => {
    await using shell = await openCommandLine();
    await shell.ok("create -d none --url=tcp://127.0.0.1:1 web");
    const taken = await shell.run(`create -d none ${urls(3)} app web db_1`.split(" "));
    assert.equal(taken.code, 1);
    assert.match(
      taken.stderr,
      /^Docker machine "web" already exists\nHint: Choose another name[^\n]*\n[^]*"db_1" is not a machine name/mu,
    );
    const flags = await shell.run(`create -d none ${urls(2)} --swarm-discovery nowhere app db`.split(" "));
    assert.match(flags.stderr, /^\(app\) Error parsing swarm discovery: [^\n]*\n\(db\) Error parsing swarm discovery: /mu);
    assert.equal(flags.code, 1);
    assert.equal(await shell.ok("ls -q"), "web\n");
  });

  it("of boxes begins none where one of them has no key", async () => {
    await using shell = await openCommandLine();
    const box = (port: number): string => `--generic-ip-address 127.0.0.${port}`;
    const words = `create -d generic ${box(1)} ${box(2)} --generic-ssh-key /no/such/key one two`;
    const { code, stderr } = await shell.run(words.split(" "));
    assert.equal(code, 1);
    assert.match(stderr, /no\/such\/key/u);
    assert.equal(await shell.ok("ls -q"), "");
  });
});
