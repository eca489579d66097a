/** What a newcomer tries first: output as JSON, errors with their codes, --debug, templates. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import * as path from "node:path";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { programUnderTest } from "../golden/replay.ts";
import { openCommandLine } from "./command-line.ts";

/** The lines of a text as objects; fails where one is none. */
const objectsIn = (text: string): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("--output json", () => {
  for (const words of [
    "nosuch --output json",
    "--output json nosuch",
    "create -d nosuch web --output=json",
    "ls --nosuch --output json",
  ])
    it(`is JSON also after what is not understood: ${words}`, async () => {
      await using shell = await openCommandLine();
      const { code, stdout, stderr } = await shell.run(words.split(" "));
      assert.notEqual(code, 0);
      const error = objectsIn(stdout + stderr).at(-1) ?? {};
      assert.equal(error["type"], "error");
      assert.ok(["usage", "driver-not-found"].includes(String(error["code"])), String(error["code"]));
    });

  it("has the result of rm for each machine", async () => {
    await using shell = await openCommandLine();
    for (const name of ["a", "b"]) await shell.ok(`create -d none --url=tcp://127.0.0.1:1 ${name}`);
    const events = objectsIn(await shell.ok("rm -y a b --output json"));
    for (const name of ["a", "b"])
      assert.ok(
        events.some(({ machine, text }) => machine === name && text === `Successfully removed ${name}`),
        JSON.stringify(events),
      );
  });

  it("leaves a template of ls what it is, as one of inspect", async () => {
    await using shell = await openCommandLine();
    await shell.ok("create -d none --url=tcp://127.0.0.1:1 web");
    assert.equal(await shell.ok("ls -f {{.Name}} --output json"), "web\n");
    assert.equal(objectsIn(JSON.stringify(JSON.parse(await shell.ok("ls --output json")))).length, 1);
  });
});

describe("--debug", () => {
  it("tells the code of an error, of each machine's where there are several", async () => {
    await using shell = await openCommandLine();
    assert.match((await shell.run(["--debug", "status", "gone"])).stderr, /^Error code: machine-not-found$/mu);
    assert.match(
      (await shell.run(["--debug", "ip", "gone", "lost"])).stderr,
      /^\(gone\) Error code: machine-not-found\n\(lost\) Error code: machine-not-found$/mu,
    );
    assert.doesNotMatch((await shell.run(["status", "gone"])).stderr, /Error code/u);
  });

  it("tells what ls and status asked, and how long that took", async () => {
    await using shell = await openCommandLine();
    await shell.ok("create -d none --url=tcp://127.0.0.1:1 web");
    const listed = await shell.run(["--debug", "ls"]);
    assert.match(
      listed.stderr,
      /"web": asked at tcp:\/\/127\.0\.0\.1:1, its engine gave no version: .*connection refused \(\d+ ms\)/u,
    );
    assert.match(listed.stderr, /"web": its driver says Running \(\d+ ms\)/u);
    assert.match((await shell.run(["--debug", "status", "web"])).stderr, /"web": the driver none answered in \d+ ms/u);
  });
});

describe("ls --watch", () => {
  it("ends quietly with the next change where its reader is gone", async () => {
    await using shell = await openCommandLine();
    await shell.ok("create -d none --url=tcp://127.0.0.1:1 web");
    const program = ["sh", "-c", '"$@" | { head -n 1; echo read >&2; }', "sh", ...programUnderTest()];
    const watching = shell.start(["ls", "--watch"], program);
    const ended = once(watching, "close");
    const said = text(watching.stderr);
    assert.match(String((await once(watching.stdout, "data"))[0]), / web /u);
    await shell.ok("create -d none --url=tcp://127.0.0.1:1 db");
    await ended;
    assert.equal(await said, "read\n");
  });
});

describe("a machine of the driver none", () => {
  it("that never answered is as it was after an upgrade, and cannot be shared, with a way that can", async () => {
    await using shell = await openCommandLine();
    await shell.ok("create -d none --url=tcp://127.0.0.1:1 web");
    assert.match(
      (await shell.run(["upgrade", "--to", "28.1", "web"])).stderr,
      /^1 of 1 machines failed \(old: web\)\nweb: The Docker/u,
    );
    const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBxRwtVQUYpSrzKaoY0gL8Db7V3jzOqZ0YVdJw7UEHUA alice";
    assert.match(
      (await shell.run(["share", "-y", "--with", key, "--for", "8h", "web"])).stderr,
      /^"web" is looked after by somebody else, so it cannot be shared\nHint: .*--driver generic/u,
    );
  });

  it("is not sent to SSH, which nobody knows of it", async () => {
    await using shell = await openCommandLine();
    await shell.ok("create -d none --url=tcp://127.0.0.1:1 web");
    for (const words of [
      "wait --for ssh web",
      "env web",
      "config web",
      "with web -- true",
      "console web",
      "port web",
      "port web --close 80",
    ]) {
      const { code, stderr } = await shell.run(words.split(" "));
      assert.equal(code, 1, words);
      assert.match(stderr, /^Hint: /mu, words);
      assert.doesNotMatch(stderr, /docker-machine (?:ssh|port|provision) /u, words);
    }
  });
});

describe("config set and config relocate", () => {
  it("say how they are used where nothing is given to them", async () => {
    await using shell = await openCommandLine();
    const hints = { set: "config set NAME FLAG\\[=VALUE\\]\\.\\.\\.", relocate: "config relocate \\[OPTIONS\\] NAME\\.\\.\\." };
    for (const [word, usage] of Object.entries(hints)) {
      const { code, stderr } = await shell.run(["config", word]);
      assert.equal(code, 4);
      assert.match(stderr, new RegExp(`"${word}" does not exist[^\n]*\nHint: .*: \\S+ ${usage}\n$`, "u"));
    }
    await shell.ok("create -d none --url=tcp://127.0.0.1:1 set");
    assert.doesNotMatch((await shell.run(["config", "set"])).stderr, /config set/u);
  });
});

describe("create", () => {
  it("refuses what can be no fingerprint and no version before anything is made", async () => {
    await using shell = await openCommandLine();
    for (const [flag, value, sentence] of [
      ["ssh-host-key", "foo", /^"foo" is not a fingerprint\nHint: .*SHA256: and 43 characters/mu],
      ["engine-version", "abc", /^--engine-version "abc" is no version\nHint: Give it as 27\.5\.1\.$/mu],
      ["engine-version", "27.3; reboot", /is no version/u],
    ] as const) {
      const { code, stderr } = await shell.run(["create", "-d", "none", "--url=tcp://127.0.0.1:1", `--${flag}`, value, "web"]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, sentence);
      assert.equal(existsSync(path.join(shell.store, "certs")), false);
    }
  });

  it("takes a fingerprint with its padding, and versions of engines and of packages", async () => {
    await using shell = await openCommandLine();
    for (const [index, version] of ["27", "v27.5.1", "5:27.5.1-1~debian.12~bookworm", "20.10.24+dfsg1"].entries()) {
      const flags = `--engine-version ${version} --ssh-host-key SHA256:${"A".repeat(43)}=`;
      await shell.ok(`create -d none --url=tcp://127.0.0.1:1 ${flags} web${index}`);
      const { Extra } = JSON.parse(await shell.recordText(`web${index}`)) as { Extra: object };
      assert.deepEqual(Extra, { ...Extra, EngineVersion: version, SshHostKey: `SHA256:${"A".repeat(43)}` });
    }
  });
});
