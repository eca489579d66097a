import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import * as path from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../system/testing/folder.ts";
import { inPrivateFolder, makePrivateFolder, sweepPrivateFolders } from "./private-folder.ts";

test("what killed commands left goes; what a running one uses, and what is not ours, stays", async () => {
  const parent = temporaryFolder();
  const computer = { env: { TMPDIR: parent }, os: "linux" as const };
  const ownedBy = (name: string, owner: string | undefined): string => {
    const folder = path.join(parent, name);
    mkdirSync(folder);
    if (owner !== undefined) writeFileSync(path.join(folder, "owner"), `${owner}\n`);
    return folder;
  };
  const gone = spawnSync("true").pid;
  const inUse = await makePrivateFolder(computer);
  const killed = ownedBy("dm-aaaaaa", String(gone));
  const [young, old] = [ownedBy("dm-bbbbbb", undefined), ownedBy("dm-cccccc", undefined)];
  utimesSync(old, new Date(0), new Date(0));
  const foreign = ownedBy("dm-else", String(gone));
  const link = path.join(parent, "dm-dddddd");
  symlinkSync(foreign, link);
  await sweepPrivateFolders(computer, new Date());
  assert.deepEqual(
    [inUse, killed, young, old, foreign, link].map((folder) => existsSync(folder)),
    [true, false, true, false, true, true],
  );
});

test("a folder is gone when the work in it has ended, however that ended", async () => {
  const computer = { env: { TMPDIR: temporaryFolder() }, os: "linux" as const };
  let seen = "";
  await assert.rejects(
    inPrivateFolder(computer, async (folder) => {
      seen = folder;
      throw new Error("failed");
    }),
    /failed/u,
  );
  assert.deepEqual([seen === "", existsSync(seen)], [false, false]);
});

test("the folder stands where TMPDIR says, is the user's alone, and is gone afterwards", async () => {
  const parent = temporaryFolder();
  const folder = await inPrivateFolder({ os: "linux", env: { TMPDIR: parent } }, async (made) => {
    assert.equal((await stat(made)).mode & 0o777, 0o700);
    return made;
  });
  assert.equal(path.dirname(folder), parent);
  await assert.rejects(stat(folder));
});

for (const TMPDIR of ["/no/such/folder", "/dev/null", "/a b", ""]) {
  test(`a TMPDIR that cannot be used breaks nothing: ${JSON.stringify(TMPDIR)}`, async () => {
    const folder = await inPrivateFolder({ os: "linux", env: { TMPDIR } }, async (made) => made);
    assert.equal(path.dirname(folder), "/tmp");
  });
}
