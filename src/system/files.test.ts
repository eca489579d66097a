import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import {
  forgetTemporary,
  isAbandonedTemporary,
  makePrivateDirectory,
  readFileIfExists,
  temporaryPathFor,
  writeFileAtomic,
} from "./files.ts";
import { temporaryFolder } from "./testing/folder.ts";

function modeOf(file: string): string {
  return (fs.statSync(file).mode & 0o777).toString(8);
}

test("a file is replaced as a whole, with its mode, and nothing is left beside it", async () => {
  const folder = temporaryFolder();
  const file = path.join(folder, "key");
  await writeFileAtomic(file, "one", 0o600);
  const before = fs.openSync(file, "r");
  await writeFileAtomic(file, Buffer.from("two"), 0o644);
  assert.equal(fs.readFileSync(before, "utf8"), "one", "who had it open keeps what was");
  fs.closeSync(before);
  assert.equal(fs.readFileSync(file, "utf8"), "two");
  assert.equal(modeOf(file), "644");
  assert.deepEqual(fs.readdirSync(folder), ["key"]);
});

test("a write that fails leaves the old file and no temporary", async () => {
  const folder = temporaryFolder();
  const file = path.join(folder, "taken");
  fs.mkdirSync(path.join(file, "inside"), { recursive: true });
  await assert.rejects(writeFileAtomic(file, "x", 0o600), {
    code: "store-unusable",
    message: `Cannot write ${file}: it is a folder`,
  });
  assert.deepEqual(fs.readdirSync(folder), ["taken"]);
  const lost = path.join(folder, "missing", "file");
  await assert.rejects(writeFileAtomic(lost, "x", 0o600), {
    code: "store-unusable",
    message: `Cannot write ${lost}: a folder of its path does not exist`,
  });
});

test("a file that is not there is no error, one that cannot be read is", async () => {
  const folder = temporaryFolder();
  assert.equal(await readFileIfExists(path.join(folder, "none")), undefined);
  await assert.rejects(readFileIfExists(folder), { code: "store-unusable", message: `Cannot read ${folder}: it is a folder` });
});

test("folders are made private with their parents, and left alone when they are there", async () => {
  const root = temporaryFolder();
  const folder = path.join(root, "a", "b", "c");
  await makePrivateDirectory(folder);
  assert.deepEqual([path.join(root, "a"), path.join(root, "a", "b"), folder].map(modeOf), ["700", "700", "700"]);
  fs.chmodSync(folder, 0o755);
  await Promise.all([
    makePrivateDirectory(folder),
    makePrivateDirectory(path.join(folder, "d")),
    makePrivateDirectory(path.join(folder, "d")),
  ]);
  assert.equal(modeOf(folder), "755");
});

test("a folder that cannot be made says why", async () => {
  const root = temporaryFolder();
  fs.writeFileSync(path.join(root, "file"), "");
  fs.symlinkSync(path.join(root, "nowhere"), path.join(root, "dangling"));
  const because = async (folder: string): Promise<string> => {
    const error = await makePrivateDirectory(folder).then(
      () => assert.fail("it was made"),
      (thrown: unknown) => thrown as Error,
    );
    return error.message.replace(`${root}/`, "");
  };
  assert.equal(await because(path.join(root, "file")), "Cannot create file: something else of that name exists");
  assert.equal(await because(path.join(root, "file", "x")), "Cannot create file/x: a part of the path is not a folder");
  assert.equal(await because(path.join(root, "dangling", "x")), "Cannot create dangling: something else of that name exists");
  if (fs.existsSync("/proc/self"))
    assert.equal(await because("/proc/no/such"), "Cannot create /proc/no: a folder of its path does not exist");
});

test("what a crash leaves behind is told from what is in use", () => {
  const own = path.basename(temporaryPathFor("/x/config.json"));
  assert.match(own, new RegExp(String.raw`^config\.json\.tmp-${process.pid}-[0-9a-f]{8}$`, "u"));
  assert.equal(isAbandonedTemporary(own), false);
  forgetTemporary(`/x/${own}`);
  assert.equal(isAbandonedTemporary(own), true, "an earlier process had our id");
  const dead = spawnSync(process.execPath, ["--version"]).pid;
  assert.equal(isAbandonedTemporary(`config.json.tmp-${dead}-0123abcd`), true);
  assert.equal(isAbandonedTemporary(`config.json.tmp-${process.ppid}-0123abcd`), false);
  for (const name of ["config.json", "config.json.tmp123", "config.json.tmp-1", `disk.tmp-${dead}-0123abcd.qcow2`])
    assert.equal(isAbandonedTemporary(name), false, name);
});
