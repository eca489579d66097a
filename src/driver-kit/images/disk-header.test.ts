import assert from "node:assert/strict";
import { test } from "node:test";
import { readDiskHeader } from "./disk-header.ts";

interface Qcow2 {
  readonly version?: number;
  readonly backingOffset?: bigint;
  readonly encryption?: number;
  readonly features?: number;
}

function qcow2({ version = 3, backingOffset = 0n, encryption = 0, features = 0 }: Qcow2): Buffer {
  const head = Buffer.alloc(512);
  head.write("QFI\xfb", 0, "latin1");
  head.writeUInt32BE(version, 4);
  head.writeBigUInt64BE(backingOffset, 8);
  head.writeBigUInt64BE(3_221_225_472n, 24);
  head.writeUInt32BE(encryption, 32);
  head.writeUInt32BE(features, 76);
  return head;
}

test("a qcow2 tells its size; whatever else is raw and as large as its file", () => {
  for (const version of [2, 3])
    assert.deepEqual(readDiskHeader(qcow2({ version }), 1_000), { format: "qcow2", virtualSizeBytes: 3_221_225_472 });
  assert.deepEqual(readDiskHeader(Buffer.alloc(512), 1_000), { format: "raw", virtualSizeBytes: 1_000 });
  // Dirty, and compressed by zstd: bits that need no other file.
  assert.deepEqual(readDiskHeader(qcow2({ features: 0b1001 }), 1_000), { format: "qcow2", virtualSizeBytes: 3_221_225_472 });
});

test("one that needs another file, is encrypted, cut short or unknown is told apart", () => {
  const problem = (head: Buffer): string => {
    const found = readDiskHeader(head, 1_000);
    return "problem" in found ? found.problem : "";
  };
  assert.match(problem(qcow2({ backingOffset: 104n })), /refers to another file/u);
  assert.match(problem(qcow2({ features: 0b100 })), /refers to another file/u);
  assert.match(problem(qcow2({ encryption: 1 })), /is encrypted/u);
  assert.match(problem(qcow2({ version: 9 })), /version 9/u);
  assert.match(problem(qcow2({}).subarray(0, 40)), /cut short/u);
});
