import assert from "node:assert/strict";
import { existsSync, linkSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { describe, it } from "node:test";
import { assemble } from "../assembly/assemble.ts";
import { thisComputer } from "../system/computer.ts";
import { lockFile } from "../system/file-lock.ts";
import { temporaryFolder } from "../system/testing/folder.ts";
import { listCache, pruneCache } from "./cache.ts";

const never = new AbortController().signal;
const large = Buffer.alloc(200_000, 1);

/** A store whose cache has an image that a machine has a second name of, a saved state, and a download. */
function cacheScene() {
  const root = temporaryFolder();
  const context = assemble({ computer: thisComputer(), storePath: root, reportFor: () => () => {} });
  const file = (name: string, content: string | Buffer): string => {
    const target = path.join(root, name);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, content);
    return target;
  };
  file("cache/images/sha256-aa/image.json", JSON.stringify({ title: "Debian 13" }));
  const disk = file("cache/images/sha256-aa/disk", large);
  file("cache/images/known.json", "{}");
  file("cache/qemu/states/bb/state.json", "{}");
  file("cache/qemu/states/bb/memory", large);
  file("cache/qemu/states/bb.lock", "");
  file("cache/boot2docker.iso", "iso");
  mkdirSync(path.join(root, "machines/web"), { recursive: true });
  linkSync(disk, path.join(root, "machines/web/base"));
  return { root, context, file };
}

describe("the cache", () => {
  it("of a store without one is empty", async () => {
    const context = assemble({
      computer: thisComputer(),
      storePath: path.join(temporaryFolder(), "none"),
      reportFor: () => () => {},
    });
    assert.deepEqual(await listCache(context, 0, never), []);
    assert.deepEqual(await pruneCache(context, 0, never), []);
  });

  it("lists a thing once, however many files it has, and what its removal sets free", async () => {
    const { context } = cacheScene();
    const entries = await listCache(context, 0, never);
    assert.deepEqual(
      new Map(entries.map((each) => [each.path, each.title])),
      new Map([
        ["images/sha256-aa", "Debian 13"],
        ["qemu/states/bb", "a saved state"],
        ["boot2docker.iso", "boot2docker.iso"],
      ]),
    );
    const [image, state] = ["images/sha256-aa", "qemu/states/bb"].map((wanted) => entries.find((each) => each.path === wanted));
    assert.ok((image?.sizeBytes ?? 0) >= large.length && (image?.freesBytes ?? 0) < large.length);
    assert.ok((state?.freesBytes ?? 0) >= large.length);
  });

  it("is emptied, and no machine loses anything", async () => {
    const { root, context } = cacheScene();
    assert.equal((await pruneCache(context, 0, never)).length, 3);
    assert.deepEqual(await listCache(context, 0, never), []);
    assert.ok(existsSync(path.join(root, "machines/web/base")));
  });

  it("keeps what is younger than was asked for", async () => {
    const { root, context } = cacheScene();
    const longAgo = new Date(Date.now() - 48 * 3_600_000);
    utimesSync(path.join(root, "cache/boot2docker.iso"), longAgo, longAgo);
    assert.deepEqual(
      (await pruneCache(context, 24 * 3_600_000, never)).map((each) => each.path),
      ["boot2docker.iso"],
    );
  });

  it("leaves what somebody is at work on, and says who", async () => {
    const { root, context } = cacheScene();
    const target = path.join(root, "cache/qemu/states/bb");
    await using _lock = await lockFile(`${target}.lock`, { what: "a saved state", purpose: "save a machine's state", waitMs: 0 });
    const left = (await pruneCache(context, 0, never)).filter(({ inUseBy }) => inUseBy !== undefined);
    assert.deepEqual(
      left.map((each) => each.path),
      ["qemu/states/bb"],
    );
    assert.match(left[0]?.inUseBy ?? "", /save a machine's state/u);
    assert.ok(existsSync(path.join(target, "memory")));
  });

  it("has what a killed command left half made, and not what a living one makes", async () => {
    const { context, file } = cacheScene();
    file("cache/images/cc.tmp-999999999-0123abcd/disk", "half");
    file(`cache/images/dd.tmp-1-0123abcd/disk`, "at work");
    const paths = (await listCache(context, 0, never)).map((each) => each.path);
    assert.ok(paths.includes("images/cc.tmp-999999999-0123abcd"));
    assert.ok(!paths.some((each) => each.includes("/dd")));
  });
});
