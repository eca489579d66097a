/** `settings` and `create` with a config.yml, through the whole program. */
import assert from "node:assert/strict";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { describe, it } from "node:test";
import { openCommandLine, type CommandLine } from "./command-line.ts";

async function writeSettings(shell: CommandLine, text: string): Promise<string> {
  const file = path.join(shell.folder, "home/.config/docker-machine/config.yml");
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
  return file;
}

describe("settings", () => {
  it("are a driver and flags for every create", async () => {
    await using shell = await openCommandLine();
    const file = await writeSettings(shell, "driver: none\nprofiles:\n  far: {create: {url: 'tcp://127.0.0.1:2'}}\n");
    assert.equal(await shell.ok("settings path"), `${file}\n`);
    assert.equal(await shell.ok("settings check"), `${file} is good; its profiles are far.\n`);
    await shell.ok("create --profile far web");
    assert.equal(await shell.ok("url web").catch(String), "tcp://127.0.0.1:2\n");
  });

  it("name the line where they are wrong, in check and in create, and nothing is made", async () => {
    await using shell = await openCommandLine();
    await writeSettings(shell, "driver: none\ncreate:\n  amazonec2-regoin: eu-west-1\n");
    for (const words of [
      ["settings", "check"],
      ["create", "web"],
    ]) {
      const { code, stderr } = await shell.run(words);
      assert.equal(code, 1);
      assert.match(stderr, /config\.yml:3:3: no driver here has a create flag --amazonec2-regoin\n/u);
    }
    assert.equal(await shell.ok("ls -q"), "");
  });

  it("are begun with an example, edited, and looked at", async () => {
    await using shell = await openCommandLine();
    const editor = path.join(shell.folder, "bin", "my-editor");
    await writeFile(editor, '#!/bin/sh\n[ "$1" = --wait ] || exit 9\nprintf "driver: none\\n" >> "$2"\n');
    await chmod(editor, 0o755);
    assert.match(await shell.ok("settings edit", { env: { EDITOR: "my-editor --wait" } }), /config\.yml is good\.\n$/u);
    const text = await readFile(path.join(shell.folder, "home/.config/docker-machine/config.yml"), "utf8");
    assert.match(text, /^# Settings of docker-machine[^]*\ndriver: none\n$/u);
    // The example is what it says.
    await writeSettings(shell, text.replace(/^# (driver|create|profiles|  )/gmu, "$1").replace(/\ndriver: none\n$/u, "\n"));
    assert.match(await shell.ok("settings check"), /is good; its profiles are ci\.\n$/u);
    const missing = await shell.run(["settings", "edit"], { env: { EDITOR: "no-such-editor" } });
    assert.match(missing.stderr, /^The editor no-such-editor is not installed\nHint: .*VISUAL=nano/mu);
  });
});
