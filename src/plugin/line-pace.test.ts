import assert from "node:assert/strict";
import { test } from "node:test";
import { LinePace } from "./line-pace.ts";

class Time {
  ms = 0;

  monotonicMs(): number {
    return this.ms;
  }
}

test("twenty thousand lines at once, or a hundred each second for an hour, are all shown", () => {
  const time = new Time();
  const pace = new LinePace(time);
  for (let line = 0; line < 20_000; line += 1) assert.equal(pace.take("line"), "shown");
  for (time.ms = 0; time.ms < 3_600_000; time.ms += 10) assert.equal(pace.take("line"), "shown");
});

test("of a flood a bounded number is shown, and it is told now and then", () => {
  const time = new Time();
  const pace = new LinePace(time);
  const seen = { shown: 0, dropped: 0, "first-dropped": 0 };
  for (let line = 0; line < 1_000_000; line += 1) {
    time.ms += 0.01;
    seen[pace.take("y")] += 1;
  }
  assert.ok(seen.shown > 29_000 && seen.shown < 41_000, JSON.stringify(seen));
  assert.ok(seen["first-dropped"] >= 1 && seen["first-dropped"] <= 11, JSON.stringify(seen));
});

test("long lines count for what they are", () => {
  const pace = new LinePace(new Time());
  let shown = 0;
  for (let line = 0; line < 1_000; line += 1) if (pace.take("x".repeat(1_048_576)) === "shown") shown += 1;
  assert.ok(shown < 500, String(shown));
});
