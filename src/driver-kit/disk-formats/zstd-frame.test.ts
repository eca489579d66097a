import assert from "node:assert/strict";
import { test } from "node:test";
import * as zlib from "node:zlib";
import fc from "fast-check";
import { zstdFrameIn } from "./zstd-frame.ts";

test("a frame ends where zstd ended it, whatever follows", () => {
  const contents = fc.oneof(
    fc.uint8Array({ maxLength: 2000 }),
    fc.integer({ min: 1, max: 400_000 }).map((length) => new Uint8Array(length).fill(7)),
  );
  fc.assert(
    fc.property(contents, fc.boolean(), fc.uint8Array({ maxLength: 600 }), (content, checksum, rest) => {
      const params = { [zlib.constants.ZSTD_c_checksumFlag]: checksum ? 1 : 0 };
      const frame = zlib.zstdCompressSync(content, { params });
      assert.equal(zstdFrameIn(Buffer.concat([frame, rest]))?.lengthBytes, frame.length);
      assert.equal(zstdFrameIn(frame.subarray(0, frame.length - 1)), undefined);
    }),
  );
});

test("what is no frame is none", () => {
  assert.equal(zstdFrameIn(Buffer.alloc(0)), undefined);
  assert.equal(zstdFrameIn(Buffer.alloc(100)), undefined);
});
