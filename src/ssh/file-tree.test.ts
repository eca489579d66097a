import assert from "node:assert/strict";
import { posix } from "node:path";
import { test } from "node:test";
import { isMachineError } from "../errors/machine-error.ts";
import { copyTree, type FileEntry, type FileTree } from "./file-tree.ts";

/** A tree in memory: a string is a file, undefined a folder. */
class MemoryTree implements FileTree {
  readonly entries = new Map<string, { entry: FileEntry; bytes: Buffer }>();

  constructor(files: Readonly<Record<string, string | undefined>> = {}) {
    this.#put(".", "folder", 0o755, "");
    for (const [path, text] of Object.entries(files)) this.#put(path, text === undefined ? "folder" : "file", 0o640, text ?? "");
  }

  get texts(): Record<string, string> {
    const files = [...this.entries].filter(([, { entry }]) => entry.kind === "file");
    return Object.fromEntries(files.map(([path, { bytes }]) => [path, bytes.toString()]));
  }

  async find(path: string): Promise<FileEntry | undefined> {
    return this.entries.get(posix.normalize(path))?.entry;
  }

  async list(path: string): Promise<string[]> {
    const folder = posix.normalize(path);
    return [...this.entries.keys()]
      .filter((name) => name !== "." && posix.dirname(name) === folder)
      .map((name) => posix.basename(name));
  }

  async *read(path: string): AsyncGenerator<Uint8Array> {
    yield this.entries.get(posix.normalize(path))?.bytes ?? Buffer.alloc(0);
  }

  async write(path: string, mode: number, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk);
    this.#put(path, "file", mode, Buffer.concat(parts).toString());
  }

  async makeFolder(path: string, mode: number): Promise<void> {
    this.#put(path, "folder", mode, "");
  }

  async preserve(path: string, entry: FileEntry): Promise<void> {
    const known = this.entries.get(posix.normalize(path));
    if (known !== undefined) known.entry = { ...entry, kind: known.entry.kind };
  }

  #put(path: string, kind: "file" | "folder", mode: number, text: string): void {
    const entry = { kind, mode, sizeBytes: text.length, accessedAt: 1, modifiedAt: 2 };
    this.entries.set(posix.normalize(path), { entry, bytes: Buffer.from(text) });
  }
}

async function copy(
  files: Record<string, string | undefined>,
  source: string,
  into: MemoryTree,
  destination: string,
  recursive = true,
): Promise<Record<string, string>> {
  await copyTree(new MemoryTree(files), source, into, destination, { recursive, preserve: false });
  return into.texts;
}

const failing =
  (pattern: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(isMachineError(error, "copy-failed"), String(error));
    assert.match(error.message, pattern);
    return true;
  };

test("a file goes to a name, or into a folder under its own", async () => {
  assert.deepEqual(await copy({ a: "1" }, "a", new MemoryTree(), "b"), { b: "1" });
  assert.deepEqual(await copy({ a: "1" }, "a", new MemoryTree({ d: undefined }), "d"), { "d/a": "1" });
});

test("a folder becomes the destination, or goes into one that is there", async () => {
  const files = { d: undefined, "d/a": "1", "d/e": undefined, "d/e/b": "2" };
  assert.deepEqual(await copy(files, "d", new MemoryTree(), "new"), { "new/a": "1", "new/e/b": "2" });
  assert.deepEqual(await copy(files, "d", new MemoryTree({ old: undefined }), "old"), { "old/d/a": "1", "old/d/e/b": "2" });
  assert.deepEqual(await copy(files, "d/.", new MemoryTree({ old: undefined }), "old"), { "old/a": "1", "old/e/b": "2" });
});

test("a folder needs -r", async () => {
  await assert.rejects(copy({ d: undefined }, "d", new MemoryTree(), "new", false), failing(/d: it is a folder/u));
});

test("patterns name several files, which need a folder to go to", async () => {
  const files = { d: undefined, "d/a.log": "1", "d/b.log": "2", "d/c.txt": "3", "d/.x.log": "4" };
  assert.deepEqual(await copy(files, "d/*.log", new MemoryTree({ into: undefined }), "into"), {
    "into/a.log": "1",
    "into/b.log": "2",
  });
  await assert.rejects(copy(files, "d/*.log", new MemoryTree(), "into"), failing(/several files/u));
  await assert.rejects(copy(files, "d/*.md", new MemoryTree(), "into"), failing(/d\/\*\.md: no such file/u));
});

test("a file whose name looks like a pattern is itself", async () => {
  assert.deepEqual(await copy({ "a[1]": "1", a1: "2" }, "a[1]", new MemoryTree({ into: undefined }), "into"), {
    "into/a[1]": "1",
  });
});

test("names that lead out of the copied folder stop the copy", async () => {
  for (const name of ["..", ".", "", "../evil", "/etc/passwd", "a\\b", "a\0b"]) {
    const hostile = new MemoryTree({ d: undefined });
    hostile.list = async () => [name];
    const into = new MemoryTree();
    await assert.rejects(copyTree(hostile, "d", into, "new", { recursive: true, preserve: false }), failing(/impossible name/u));
    assert.deepEqual(into.texts, {});
  }
});

test("modes travel, and times too where asked", async () => {
  const into = new MemoryTree();
  await copyTree(new MemoryTree({ a: "1" }), "a", into, "b", { recursive: false, preserve: true });
  assert.deepEqual((await into.find("b"))?.mode, 0o640);
  assert.deepEqual((await into.find("b"))?.modifiedAt, 2);
});

test("an abort ends the copy", async () => {
  const reason = new Error("enough");
  await assert.rejects(
    copyTree(new MemoryTree({ a: "1" }), "a", new MemoryTree(), "b", {
      recursive: false,
      preserve: false,
      signal: AbortSignal.abort(reason),
    }),
    reason,
  );
});
