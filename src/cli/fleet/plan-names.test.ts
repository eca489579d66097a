import assert from "node:assert/strict";
import { test } from "node:test";
import { expandRanges } from "../../fleet/file/machine-names.ts";
import { foldNames } from "../exec/grouped-output.ts";

test("what plan prints for several machines can be given to apply", () => {
  const names = ["db", "web-1", "web-2", "web-3", "web-7", "m-08", "m-09", "m-10"];
  assert.deepEqual(expandRanges(foldNames(names)).toSorted(), names.toSorted());
  assert.throws(() => expandRanges(["web-[1-]"]), /\[1-\] is no range/u);
});
