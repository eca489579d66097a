import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, test } from "node:test";
import { isMachineError } from "../errors/machine-error.ts";
import {
  factsOf,
  fingerprintFile,
  freeBytes,
  hashFile,
  headOf,
  linkOrCopy,
  listFolder,
  makeScratchFolder,
  publishFolder,
  removeTree,
  requireFreeBytes,
  tailOf,
} from "./disk-files.ts";

const scratch = mkdtempSync(path.join(tmpdir(), "docker-machine-files-"));
after(() => rmSync(scratch, { recursive: true, force: true }));
const at = (name: string): string => path.join(scratch, name);
const signal = AbortSignal.timeout(600_000);

test("a fingerprint tells contents apart, zeros and their places among them", async () => {
  const mib = 1 << 20;
  const marked = (size: number, ...places: readonly number[]): Buffer => {
    const bytes = Buffer.alloc(size);
    for (const place of places) bytes[place] = 1;
    return bytes;
  };
  const contents = [
    marked(0),
    marked(1),
    marked(mib),
    marked(2 * mib),
    marked(2 * mib + 1),
    marked(3 * mib, 0),
    marked(3 * mib, mib),
    marked(3 * mib, 3 * mib - 1),
    marked(3 * mib, 0, 3 * mib - 1),
  ];
  const prints: string[] = [];
  for (const content of contents) {
    writeFileSync(at("print"), content);
    prints.push(await fingerprintFile(at("print"), signal));
    assert.equal(await fingerprintFile(at("print"), signal), prints.at(-1));
  }
  assert.equal(new Set(prints).size, contents.length);
});

test("a linked file outlives the one it was made of, and takes no space of its own", async () => {
  writeFileSync(at("image"), "bytes");
  writeFileSync(at("machine"), "former");
  await linkOrCopy(at("image"), at("machine"));
  assert.equal(statSync(at("machine")).ino, statSync(at("image")).ino);
  await removeTree(at("image"));
  assert.equal(readFileSync(at("machine"), "utf8"), "bytes");
  await assert.rejects(linkOrCopy(at("image"), at("other")), { code: "ENOENT" });
});

test("a folder appears whole or not at all", async () => {
  await publishFolder(at("whole"), async (folder) => writeFileSync(path.join(folder, "a"), "1"));
  assert.deepEqual(readdirSync(at("whole")), ["a"]);
  await assert.rejects(
    publishFolder(at("half"), async (folder) => {
      writeFileSync(path.join(folder, "a"), "1");
      throw new Error("cut off");
    }),
    /cut off/u,
  );
  assert.deepEqual(
    readdirSync(scratch).filter((name) => name.startsWith("half")),
    [],
  );
});

test("of two that publish the same folder the first one's stays", async () => {
  await publishFolder(at("race"), async (folder) => {
    await publishFolder(at("race"), async (other) => writeFileSync(path.join(other, "who"), "first"));
    writeFileSync(path.join(folder, "who"), "second");
  });
  assert.equal(readFileSync(path.join(at("race"), "who"), "utf8"), "first");
  assert.deepEqual(
    readdirSync(scratch).filter((name) => name.startsWith("race")),
    ["race"],
  );
});

test("space is checked where a folder is, or would be", async () => {
  const free = await freeBytes(scratch);
  await requireFreeBytes(at("not/there/yet"), 1, "A test");
  await assert.rejects(
    requireFreeBytes(at("not/there/yet"), free * 10, "A test"),
    (error) => isMachineError(error, "disk-full") && /^A test needs \d+ MiB and .* has \d+ MiB left$/u.test(error.message),
  );
});

test("parts and digests of a file", async () => {
  writeFileSync(at("text"), "0123456789");
  assert.equal(await tailOf(at("text"), 3), "789");
  assert.equal(await tailOf(at("text"), 30), "0123456789");
  assert.equal(await tailOf(at("nothing"), 3), "");
  assert.equal((await headOf(at("text"), 4)).toString(), "0123");
  assert.equal(await hashFile(at("text"), "sha256", signal), "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882");
});

test("what is not there has no facts, no names, and is removed without complaint", async () => {
  assert.equal(await factsOf(at("nothing")), undefined);
  assert.equal(await factsOf(path.join(at("text"), "below-a-file")), undefined);
  assert.deepEqual(await listFolder(at("nothing")), []);
  await removeTree(at("nothing"));
  mkdirSync(at("folder"));
  assert.equal((await factsOf(at("folder")))?.isDirectory, true);
});

test("a scratch folder is private and beside its target", async () => {
  const folder = await makeScratchFolder(at("new/target"));
  assert.ok(folder.startsWith(`${at("new/target")}.tmp-`));
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.equal(existsSync(at("new/target")), false);
});
