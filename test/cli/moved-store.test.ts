/** A store that was moved, copied or restored elsewhere: its records hold absolute paths of the old place. */
import assert from "node:assert/strict";
import { chmod, cp, readFile, rename, rm, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { describe, it } from "node:test";
import { engineFor } from "./engine-fixture.ts";
import { openCommandLine, pluginRecord, type CommandLine } from "./command-line.ts";

interface Moved extends AsyncDisposable {
  readonly shell: CommandLine;
  readonly old: string;
  readonly url: string;
  /** In the store's new place. */
  ok(words: string): Promise<string>;
  run(words: string): ReturnType<CommandLine["run"]>;
  recordText(): Promise<string>;
}

/** A machine whose engine answers, in a store that was moved after it was made. */
async function movedStore(): Promise<Moved> {
  const shell = await openCommandLine();
  await shell.ok("create -d none --url=tcp://127.0.0.1:1 seed");
  const engine = await engineFor(shell);
  await shell.ok(`create -d none --url=${engine.url} web`);
  const place = path.join(shell.folder, "moved");
  await rename(shell.store, place);
  const env = { MACHINE_STORAGE_PATH: place };
  return {
    shell,
    old: shell.store,
    url: engine.url,
    ok: async (words) => await shell.ok(words, { env }),
    run: async (words) => await shell.run(words.split(" "), { env }),
    recordText: async () => await readFile(path.join(place, "machines/web/config.json"), "utf8"),
    [Symbol.asyncDispose]: async () => {
      await engine[Symbol.asyncDispose]();
      await shell[Symbol.asyncDispose]();
    },
  };
}

describe("a store that was moved", () => {
  it("works as it is, without a byte of it changing", async () => {
    await using moved = await movedStore();
    const before = await moved.recordText();
    assert.match(await moved.ok("ls -f {{.Name}}/{{.State}}/{{.Error}}"), /^web\/Running\/$/mu);
    assert.match(await moved.ok("env web"), new RegExp(`DOCKER_CERT_PATH="${moved.shell.folder}/moved/machines/web"`, "u"));
    assert.match(await moved.ok("config web"), new RegExp(`--tlscacert="${moved.shell.folder}/moved/certs/ca.pem"`, "u"));
    assert.equal(await moved.ok("url web"), `${moved.url}\n`);
    assert.equal(await moved.recordText(), before);
  });

  it("is written down by `config relocate`, once", async () => {
    await using moved = await movedStore();
    assert.equal((await moved.run("config relocate --all web")).code, 2);
    assert.equal(await moved.ok("config relocate web"), `"web" was made in ${moved.old}; its record names this store now\n`);
    assert.equal((await moved.recordText()).includes(moved.old), false);
    assert.equal(
      await moved.ok("config relocate --all"),
      `"seed" was made in ${moved.old}; its record names this store now\n"web" is at home in this store\n`,
    );
    assert.match(await moved.ok("env web"), /DOCKER_HOST/u);
  });

  it("a machine of that name is one", async () => {
    await using shell = await openCommandLine();
    await shell.ok("create -d none --url=tcp://127.0.0.1:1 relocate");
    assert.match((await shell.run(["config", "relocate"])).stderr, /There was an error validating certificates/u);
  });

  it("keeps what can be read where it was: another store's CA is not ours", async () => {
    await using shell = await openCommandLine();
    await using other = await openCommandLine();
    for (const each of [shell, other]) await each.ok("create -d none --url=tcp://127.0.0.1:1 seed");
    await using engine = await engineFor(shell);
    await shell.ok(`create -d none --url=${engine.url} web`);
    await cp(path.join(shell.store, "machines/web"), path.join(other.store, "machines/web"), { recursive: true });
    await rm(path.join(shell.store, "machines/web"), { recursive: true });
    assert.match(await other.ok("env web"), /DOCKER_HOST/u);
  });

  it("names the file that is nowhere, in ls, env and version, and the way out works", async () => {
    await using moved = await movedStore();
    const ca = path.join(moved.shell.folder, "moved/certs/ca.pem");
    const kept = await readFile(ca);
    await rm(ca);
    const missing = `open ${moved.old}/certs/ca.pem: no such file or directory`;
    assert.equal(await moved.ok("ls -f {{.Error}} --filter name=web"), `Unable to query docker version: ${missing}\n`);
    for (const words of ["env web", "config web", "version web"]) {
      const { code, stderr } = await moved.run(words);
      assert.equal(code, 1, words);
      assert.ok(stderr.includes(missing), stderr);
      assert.match(stderr, /docker-machine config relocate web/u);
      assert.doesNotMatch(stderr, /docker-machine rm|regenerate/u);
    }
    assert.match((await moved.run("config relocate web")).stderr, new RegExp(`still names ${moved.old}/certs/ca\\.pem`, "u"));
    await writeFile(ca, kept);
    await moved.ok("config relocate web");
    assert.match(await moved.ok("env web"), /DOCKER_HOST/u);
  });
});

describe("a certificate that is missing", () => {
  it("in its own store is named, and is no fault of the engine", async () => {
    await using shell = await openCommandLine();
    await shell.ok("create -d none --url=tcp://127.0.0.1:1 web");
    const ca = path.join(shell.store, "certs/ca.pem");
    await rm(ca);
    const { stderr } = await shell.run(["env", "web"]);
    assert.match(
      stderr,
      /^Error checking TLS connection: .*There was an error validating certificates for host "127\.0\.0\.1:1": open .*ca\.pem/u,
    );
    assert.doesNotMatch(stderr, /docker-machine rm/u);
    assert.equal(await shell.ok("ls -f {{.Error}}"), `Unable to query docker version: open ${ca}: no such file or directory\n`);
  });
});

describe("an SSH key of the old place", () => {
  it("is found in the new one", async () => {
    await using shell = await openCommandLine();
    await shell.addRecord(
      "box",
      pluginRecord("box", "generic", 1).replace('"SSHKeyPath": ""', '"SSHKeyPath": "STORE/machines/box/id_rsa"'),
    );
    const place = path.join(shell.folder, "moved");
    await writeFile(path.join(shell.store, "machines/box/id_rsa"), "key");
    await rename(shell.store, place);
    await chmod(place, 0o700);
    const trace = path.join(shell.folder, "arguments");
    await writeFile(path.join(shell.folder, "bin/ssh"), `#!/bin/sh\necho "$@" >> ${trace}\nexit 255\n`, { mode: 0o755 });
    await shell.run(["ssh", "box", "true"], { env: { MACHINE_STORAGE_PATH: place } });
    await shell.ok("config relocate box", { env: { MACHINE_STORAGE_PATH: place } });
    assert.match(
      await readFile(path.join(place, "machines/box/config.json"), "utf8"),
      new RegExp(`"SSHKeyPath": "${place}/machines/box/id_rsa"`, "u"),
    );
  });
});
