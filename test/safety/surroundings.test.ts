/** P11 with the program itself: where it finds no home, no space, nothing it may write, or a terminal of another time. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { test, type TestContext } from "node:test";
import { quoteCommand } from "../../src/ssh/shell-quote.ts";
import { openCommandLine, type CommandLine, type RunOptions } from "../cli/command-line.ts";
import { programUnderTest } from "../golden/replay.ts";
import { FragileDisk } from "./fragile-disk.ts";

const create = (name: string): string[] => [
  "create",
  "-d",
  "none",
  "--url",
  "tcp://127.0.0.1:1",
  "--tls-key-type",
  "ecdsa",
  name,
];

interface Stored extends AsyncDisposable {
  readonly shell: CommandLine;
  readonly disk: FragileDisk;
  /** With the store on the disk. */
  readonly options: RunOptions;
  /** The bytes of all files by their paths, locks aside. */
  contents(): Record<string, string>;
}

/** A small disk with a store that has the machine "web"; undefined where none can be mounted. */
async function storeOnDisk(context: TestContext): Promise<Stored | undefined> {
  const disk = FragileDisk.open();
  if (typeof disk === "string") {
    context.skip(disk);
    return undefined;
  }
  const shell = await openCommandLine();
  const store = path.join(disk.folder, "store");
  const options = { env: { MACHINE_STORAGE_PATH: store } };
  assert.equal((await shell.run(create("web"), options)).code, 0);
  const isContent = (file: string): boolean => !file.startsWith("locks") && fs.statSync(path.join(store, file)).isFile();
  return {
    shell,
    disk,
    options,
    contents: () => {
      const files = fs.readdirSync(store, { recursive: true, encoding: "utf8" }).filter(isContent).toSorted();
      return Object.fromEntries(files.map((file) => [file, fs.readFileSync(path.join(store, file), "utf8")]));
    },
    [Symbol.asyncDispose]: async () => {
      disk[Symbol.dispose]();
      await shell[Symbol.asyncDispose]();
    },
  };
}

async function assertRefused(stored: Stored, args: readonly string[], sentence: RegExp): Promise<void> {
  const { code, stdout, stderr } = await stored.shell.run(args, stored.options);
  assert.equal(code, 1, stdout + stderr);
  assert.match(stderr, sentence);
  assert.doesNotMatch(stderr, /\bE[A-Z]{4,}\b|\bat \S+:\d+/u, "a sentence, not a code or a stack");
}

async function assertReadable({ shell, options }: Stored): Promise<void> {
  assert.equal(await shell.ok("ls -q", options), "web\n");
  assert.equal(await shell.ok("url web", options), "tcp://127.0.0.1:1\n");
  assert.equal(await shell.ok("inspect -f {{.Name}} web", options), "web\n");
}

test("a full disk: nothing is half made, reading goes on, and rm makes space", async (context) => {
  await using stored = await storeOnDisk(context);
  if (stored === undefined) return;
  const before = stored.contents();
  const filler = path.join(stored.disk.folder, "filler");
  spawnSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=1k"]);
  await assertRefused(stored, create("db"), /^Cannot (?:write|create) .*: no space left\nHint: Free some space/mu);
  assert.deepEqual(stored.contents(), before);
  await assertReadable(stored);
  await stored.shell.ok("rm -y web", stored.options);
  assert.equal(await stored.shell.ok("ls -q", stored.options), "");
  fs.rmSync(filler);
  assert.equal((await stored.shell.run(create("db"), stored.options)).code, 0);
});

test("a store that cannot be written is read, and nothing else", async (context) => {
  await using stored = await storeOnDisk(context);
  if (stored === undefined) return;
  const before = stored.contents();
  assert.equal(spawnSync("mount", ["-o", "remount,ro", stored.disk.folder]).status, 0);
  for (const args of [create("db"), ["rm", "-y", "web"], ["restart", "web"]])
    await assertRefused(stored, args, /Cannot (?:write|create|remove) .*: the file system is read-only\nHint: /u);
  await assertReadable(stored);
  assert.deepEqual(stored.contents(), before);
});

test("without a home, and without a name for the store, nothing is guessed", async () => {
  await using shell = await openCommandLine();
  const homeless = { HOME: undefined, USER: undefined, MACHINE_STORAGE_PATH: undefined };
  const { code, stderr } = await shell.run(["ls"], { env: homeless });
  assert.equal(code, 1);
  assert.match(stderr, /^No home directory is known, .*\nHint: Set HOME, or name a folder with --storage-path/u);
  const named = { env: { ...homeless, MACHINE_STORAGE_PATH: shell.store } };
  assert.equal((await shell.run(create("web"), named)).code, 0);
  assert.equal(await shell.ok("ls -q", named), "web\n");
});

test("a terminal without UTF-8 is written to in ASCII", async () => {
  await using shell = await openCommandLine();
  const env = { LC_ALL: "C", LANG: "C", TERM: "vt100" };
  for (const args of [create("web"), ["ls"], ["ip", "nobody"], ["rm", "-y", "web"]]) {
    const command = quoteCommand([...programUnderTest(), ...args]);
    const { stdout } = await shell.run(["-qec", command, "/dev/null"], { program: ["script"], env });
    assert.notEqual(stdout, "");
    // oxlint-disable-next-line no-control-regex -- what is looked for
    assert.match(stdout, /^[\x00-\x7f]+$/u, args.join(" "));
  }
  assert.equal(await shell.ok("ls -q"), "");
});
