import assert from "node:assert/strict";
import { test } from "node:test";
import { listRow as row } from "../testing/list-row.ts";
import { changesSince } from "./list-changes.ts";
import type { ListRow } from "./list-rows.ts";

test("changes are told once: all at first, then what is new, other or gone", () => {
  const known = new Map<string, string>();
  const seen = (...rows: ListRow[]): string[] => changesSince(known, rows, "t").map((change) => `${change.type} ${change.name}`);
  assert.deepEqual(seen(row("a"), row("b")), ["machine a", "machine b"]);
  assert.deepEqual(seen(row("a", { responseTimeMs: 9 }), row("b")), []);
  assert.deepEqual(seen(row("a", { state: "Stopped" }), row("b"), row("c")), ["machine a", "machine c"]);
  assert.deepEqual(seen(row("a", { state: "Stopped" }), row("c")), ["machine-gone b"]);
  assert.deepEqual(seen(row("a", { state: "Stopped" }), row("b"), row("c")), ["machine b"]);
});
