import assert from "node:assert/strict";
import { it } from "node:test";
import { formatBytes } from "./byte-text.ts";

it("says an amount of bytes in the unit that suits it", () => {
  const said = [0, 999, 1_000, 9_949, 9_950, 999_499, 999_500, 1_430_000_000, 5e15].map(formatBytes);
  assert.deepEqual(said, ["0 B", "999 B", "1.0 kB", "9.9 kB", "10 kB", "999 kB", "1.0 MB", "1.4 GB", "5000 TB"]);
});
