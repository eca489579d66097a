import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isoImage } from "./iso.ts";

/** Reads an image as a reader of ECMA-119 does: volume descriptor, root record, directory. */
function readIso(image: Buffer): { readonly label: string; readonly files: Record<string, string> } {
  const volume = image.subarray(16 * 2048, 17 * 2048);
  assert.equal(volume.toString("latin1", 1, 6), "CD001");
  assert.equal(volume.readUInt32LE(80), image.length / 2048);
  assert.equal(volume.readUInt32LE(80), volume.readUInt32BE(84));
  const root = volume.subarray(156, 190);
  const directory = image.subarray(root.readUInt32LE(2) * 2048, root.readUInt32LE(2) * 2048 + root.readUInt32LE(10));
  const files: Record<string, string> = {};
  for (let at = 0; at < directory.length && directory[at] !== 0; at += directory.readUInt8(at)) {
    const record = directory.subarray(at, at + directory.readUInt8(at));
    if ((record.readUInt8(25) & 2) !== 0) continue;
    const start = record.readUInt32LE(2) * 2048;
    files[record.toString("latin1", 33, 33 + record.readUInt8(32))] = image.toString(
      "utf8",
      start,
      start + record.readUInt32LE(10),
    );
  }
  return { label: volume.toString("latin1", 40, 72).trim(), files };
}

test("the seed's CD image reads back as it was written", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 6_000 });
  fc.assert(
    fc.property(text, text, (userData, metaData) => {
      const files = { "user-data": userData, "meta-data": metaData };
      assert.deepEqual(readIso(isoImage("cidata", files)), { label: "cidata", files });
    }),
    { numRuns: 40 },
  );
});
