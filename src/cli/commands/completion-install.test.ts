import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../system/testing/folder.ts";
import { completionAlone } from "../completion/scripts.ts";
import { FakeRun } from "../testing/fake-main.ts";

function at(home: string, env: Readonly<Record<string, string>> = {}): FakeRun {
  return new FakeRun({ env: { SHELL: "/usr/bin/bash", ...env }, computer: { homeDir: home } });
}

test("the completion of one's own shell is written where it is looked for, once", async () => {
  const home = temporaryFolder();
  const file = path.join(home, ".local/share/bash-completion/completions/docker-machine");
  assert.equal((await at(home).main("completion", "install")).stdout, `Wrote ${file}\n`);
  assert.equal(readFileSync(file, "utf8"), completionAlone.bash);
  assert.equal((await at(home).main("completion", "install")).stdout, `Is there already: ${file}\n`);
  writeFileSync(file, "# Completion of docker-machine for bash, of an older version\n");
  assert.equal((await at(home).main("completion", "install")).stdout, `Wrote ${file}\n`);
});

test("shells can be named, folders of XDG count, and zsh is said what it needs", async () => {
  const [home, data, config] = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
  const run = at(home, { XDG_DATA_HOME: data, XDG_CONFIG_HOME: config });
  const folder = path.join(data, "zsh/site-functions");
  assert.equal(
    (await run.main("completion", "install", "zsh", "fish")).stdout,
    `Wrote ${folder}/_docker-machine\n` +
      `zsh looks there once this stands in ${home}/.zshrc, before compinit: fpath=(${folder} $fpath)\n` +
      `Wrote ${config}/fish/completions/docker-machine.fish\n`,
  );
});

test("what is somebody else's stays, and shells without such a folder are refused", async () => {
  const home = temporaryFolder();
  const file = path.join(home, ".config/fish/completions/docker-machine.fish");
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, "# mine\n");
  const { code, stderr } = await at(home).main("completion", "install", "fish");
  assert.equal(code, 1);
  assert.match(stderr, /docker-machine\.fish is not ours, and stays/u);
  assert.equal(readFileSync(file, "utf8"), "# mine\n");
  assert.equal((await at(home).main("completion", "install", "powershell")).code, 2);
});

test("a shell that cannot be seen to keeps none of the others from it", async () => {
  const home = temporaryFolder();
  const [foreign, data] = [
    path.join(home, ".local/share/bash-completion/completions/docker-machine"),
    path.join(home, ".local/share/zsh"),
  ];
  mkdirSync(path.dirname(foreign), { recursive: true });
  writeFileSync(foreign, "# mine\n");
  writeFileSync(data, "a file where a folder is to be\n");
  const { code, stdout, stderr } = await at(home).main("completion", "install", "bash", "zsh", "fish");
  assert.equal(code, 1);
  const fish = path.join(home, ".config/fish/completions/docker-machine.fish");
  assert.equal(stdout, `Wrote ${fish}\n`);
  assert.ok(existsSync(fish));
  assert.equal(
    stderr,
    `${foreign} is not ours, and stays; Cannot create ${data}/site-functions: a part of the path is not a folder\n` +
      "Hint: Move it away and run the command again. See that you may write there, or have your shell load it: " +
      'eval "$(docker-machine completion zsh)"\n',
  );
  assert.equal(readFileSync(foreign, "utf8"), "# mine\n");
});
