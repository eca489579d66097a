import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, test } from "node:test";
import { isMachineError } from "../errors/machine-error.ts";
import { openByteSource, writeInOrder, writeNewFile } from "./random-access.ts";

const scratch = mkdtempSync(path.join(tmpdir(), "docker-machine-random-access-"));
after(() => rmSync(scratch, { recursive: true, force: true }));
const at = (name: string): string => path.join(scratch, name);

test("bytes are read at any place, and end where the file ends", async () => {
  writeFileSync(at("file"), "0123456789");
  await using source = await openByteSource(at("file"), "the image");
  assert.equal(source.name, "the image");
  assert.equal(source.sizeBytes, 10);
  const reads = await Promise.all([source.read(4, 3), source.read(0, 2), source.read(8, 100), source.read(50, 1)]);
  assert.deepEqual(
    reads.map((bytes) => bytes.toString()),
    ["456", "01", "89", ""],
  );
});

test("what is no file is refused, and never waited for", async () => {
  await assert.rejects(
    openByteSource(at("absent")),
    (error) => isMachineError(error, "image-unusable") && /does not exist/u.test(error.message),
  );
  await assert.rejects(
    openByteSource(scratch),
    (error) => isMachineError(error, "image-unusable") && /not a file/u.test(error.message),
  );
  if (process.platform !== "win32") await assert.rejects(openByteSource("/dev/zero"), { code: "image-unusable" });
});

test("a new file is filled at any place; what is not written is zeros and takes no space", async () => {
  await writeNewFile(at("sparse"), async (sink) => {
    await sink.setSize(64 << 20);
    await Promise.all([sink.write(32 << 20, Buffer.from("middle")), sink.write(0, Buffer.from("first"))]);
  });
  const bytes = readFileSync(at("sparse"));
  assert.equal(bytes.length, 64 << 20);
  assert.equal(bytes.toString("latin1", 0, 6), "first\0");
  assert.equal(bytes.toString("latin1", 32 << 20, (32 << 20) + 7), "middle\0");
  if (process.platform === "linux") assert.ok(statSync(at("sparse")).blocks * 512 < 1 << 20);
  if (process.platform !== "win32") assert.equal(statSync(at("sparse")).mode & 0o777, 0o600);
});

test("nothing stays of a file that could not be filled, and another's file stays as it is", async () => {
  const failing = writeNewFile(at("half"), async (sink) => {
    await sink.write(0, Buffer.from("half"));
    throw new Error("cut off");
  });
  await assert.rejects(failing, /cut off/u);
  assert.equal(existsSync(at("half")), false);
  writeFileSync(at("theirs"), "theirs");
  await assert.rejects(
    writeNewFile(at("theirs"), async () => assert.fail("filled")),
    { code: "store-unusable", message: /exists/u },
  );
  assert.equal(readFileSync(at("theirs"), "utf8"), "theirs");
});

test("a full disk is told as one, and nothing stays", async () => {
  const full = Object.assign(new Error("write"), { code: "ENOSPC" });
  const failing = writeNewFile(at("full"), async () => {
    throw full;
  });
  await assert.rejects(failing, { code: "disk-full" });
  assert.equal(existsSync(at("full")), false);
});

test("a stream of any chunks arrives whole and in order", async () => {
  const sizes = [1, 0, 700_000, 400_000, 3_000_000, 1, 1 << 20];
  const chunks = sizes.map((size, index) => Buffer.alloc(size, index + 1));
  async function* stream(): AsyncGenerator<Buffer> {
    yield* chunks;
  }
  await writeNewFile(at("stream"), async (sink) => await writeInOrder(sink, stream()));
  assert.ok(readFileSync(at("stream")).equals(Buffer.concat(chunks)));
});
