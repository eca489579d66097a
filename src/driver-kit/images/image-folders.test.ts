/** What is taken from the cache is what was put there. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { testDriverContext, type TestContext } from "../../testing/driver-context.ts";
import { ImageFolders, type ImageFacts } from "./image-folders.ts";

const content = Buffer.from("a disk with something on it");
const digest = `sha256-${createHash("sha256").update(content).digest("hex")}`;
const facts: ImageFacts = { digest, title: "a disk", arch: "x64", format: "raw", virtualSizeBytes: content.length };
const { signal } = new AbortController();

interface Cache extends AsyncDisposable {
  readonly disk: string;
  /** Asks for the image, as another command does; gives how often it was made in all. */
  provide(anew?: boolean): Promise<number>;
  warnings(): readonly string[];
}

async function cache(name = digest): Promise<Cache> {
  const given: TestContext = await testDriverContext("web");
  const folder = path.join(given.context.cacheDir, "images");
  let made = 0;
  return {
    disk: path.join(folder, name, "disk"),
    provide: async (anew = false) => {
      const image = await new ImageFolders(given.context, folder).provide(name, anew, signal, async (temporary) => {
        made += 1;
        writeFileSync(path.join(temporary, "disk"), content);
        return { ...facts, digest: name };
      });
      assert.deepEqual(image, { ...facts, digest: name, folder: path.join(folder, name) });
      assert.deepEqual(readFileSync(path.join(image.folder, "disk")), content);
      return made;
    },
    warnings: () => given.events.flatMap((event) => (event.type === "log" && event.level === "warn" ? [event.text] : [])),
    [Symbol.asyncDispose]: async () => await given[Symbol.asyncDispose](),
  };
}

/** The disk is read-only for everybody, which stops no root and no failing medium. */
function damage(disk: string, how: (disk: string) => void): void {
  chmodSync(disk, 0o600);
  how(disk);
  chmodSync(disk, 0o444);
}

test("an image is made once, and anew where that is wanted", async () => {
  await using given = await cache();
  assert.deepEqual([await given.provide(), await given.provide(), await given.provide(true)], [1, 1, 2]);
  assert.deepEqual(given.warnings(), []);
});

const kinds: Readonly<Record<string, readonly [RegExp, (disk: string) => void]>> = {
  "was cut short": [/disk has 5 bytes instead of 27/u, (disk) => truncateSync(disk, 5)],
  "is gone": [/disk is missing/u, (disk) => rmSync(disk)],
  "was written to": [/disk was changed/u, (disk) => writeFileSync(disk, Buffer.alloc(content.length, "x"))],
};

for (const [what, [sentence, how]] of Object.entries(kinds)) {
  test(`an image whose disk ${what} is made anew, with one warning`, async () => {
    await using given = await cache();
    await given.provide();
    if (what === "is gone") how(given.disk);
    else damage(given.disk, how);
    assert.equal(await given.provide(), 2);
    assert.equal(given.warnings().length, 1);
    assert.match(given.warnings()[0] ?? "", sentence);
    assert.equal(await given.provide(), 2);
  });
}

for (const text of ["{", "null", "[]", "{}", '{"files":{"disk":null}}', ""]) {
  test(`an image whose description is ${JSON.stringify(text)} is made anew`, async () => {
    await using given = await cache();
    await given.provide();
    writeFileSync(path.join(path.dirname(given.disk), "image.json"), text);
    assert.equal(await given.provide(), 2);
    assert.match(given.warnings()[0] ?? "", /its description cannot be read/u);
  });
}

test("a note of what an address was the last time is only believed where it can be one", async () => {
  const { context, [Symbol.asyncDispose]: dispose } = await testDriverContext("web");
  const folders = new ImageFolders(context, path.join(context.cacheDir, "images"));
  await folders.remember("https://images.example/a", digest);
  assert.equal(await folders.digestOf("https://images.example/a"), digest);
  for (const text of ["null", "{", "[1]", '{"https://images.example/a":"../../certs"}', '{"https://images.example/a":7}']) {
    writeFileSync(path.join(folders.folder, "known.json"), text);
    assert.equal(await folders.digestOf("https://images.example/a"), undefined, text);
  }
  await dispose();
});

test("a disk that only bears another time is looked at once and stays", async () => {
  await using given = await cache();
  await given.provide();
  utimesSync(given.disk, 1, 1);
  assert.deepEqual([await given.provide(), await given.provide()], [1, 1]);
  const description = JSON.parse(readFileSync(path.join(path.dirname(given.disk), "image.json"), "utf8")) as {
    files: { disk: { modifiedMs: number } };
  };
  assert.equal(description.files.disk.modifiedMs, 1000);
});

test("what an older version put there stays, unless it is empty", async () => {
  await using given = await cache("build-trixie");
  mkdirSync(path.dirname(given.disk), { recursive: true });
  writeFileSync(given.disk, content);
  const description = path.join(path.dirname(given.disk), "image.json");
  writeFileSync(description, JSON.stringify({ ...facts, digest: "build-trixie" }));
  assert.equal(await given.provide(), 0);
  writeFileSync(given.disk, "");
  assert.equal(await given.provide(), 1);
});

test("a failure leaves neither an image nor a part of one", async () => {
  const { context, [Symbol.asyncDispose]: dispose } = await testDriverContext("web");
  const folders = new ImageFolders(context, path.join(context.cacheDir, "images"));
  await assert.rejects(
    folders.provide(digest, false, signal, async (temporary) => {
      writeFileSync(path.join(temporary, "disk"), "half");
      throw new Error("no more");
    }),
    /no more/u,
  );
  assert.equal(existsSync(path.join(folders.folder, digest)), false);
  assert.equal(await folders.find(digest, signal), undefined);
  await dispose();
});
