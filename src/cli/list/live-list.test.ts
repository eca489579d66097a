import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../system/fake-clock.ts";
import { Screen } from "../output/screen.ts";
import { fakeStreams } from "../testing/fake-terminal.ts";
import { listRow } from "../testing/list-row.ts";
import { ListKeys } from "./list-keys.ts";
import type { ListRow } from "./list-rows.ts";
import { LiveList } from "./live-list.ts";

function scene(keys?: ListKeys) {
  const clock = new FakeClock();
  const streams = fakeStreams({ isTerminal: true, columns: 60 });
  const screen = new Screen(streams);
  const view = { columns: 60, hasColour: false, draw: (lines: readonly string[]) => screen.setFooter("stdout", lines) };
  return { clock, list: new LiveList(view, clock, keys), visible: () => streams.stdout.visible().map((line) => line.trimEnd()) };
}

const heard = (name: string): ListRow => listRow(name, { url: "", engineVersion: "Unknown" });
const expected = ["a", "b"].map((name) => ({ name, driverName: "none" }));

test("every machine has its row at once, and the silent one is named after a while", async () => {
  const { clock, list, visible } = scene();
  const answer = Promise.withResolvers<void>();
  const listing = list.during(expected, async () => {
    list.heard(heard("a"));
    await answer.promise;
    list.heard(heard("b"));
  });
  await clock.advance(79);
  assert.deepEqual(visible(), []);
  await clock.advance(1);
  assert.deepEqual(
    visible(),
    ["NAME   DRIVER   STATE", "a      none     Running", "b      none     ...", ""].slice(0, visible().length),
  );
  await clock.advance(2_500);
  assert.equal(
    visible()
      .filter((line) => line !== "")
      .at(-1),
    "Waiting for b (2 s)",
  );
  answer.resolve();
  await listing;
  assert.deepEqual(list.finish(), ["NAME   DRIVER   STATE", "a      none     Running", "b      none     Running"]);
  assert.deepEqual(
    visible().filter((line) => line !== ""),
    [],
  );
});

test("answers that come at once are drawn once, and who does not pass has no row", async () => {
  const { list, visible } = scene();
  await list.during(expected, async () => {
    list.heard(heard("a"));
    list.drop("b");
  });
  assert.deepEqual(visible(), []);
  assert.deepEqual(list.finish(), ["NAME   DRIVER   STATE", "a      none     Running"]);
});

test("of many, the rows stand there before anybody is asked", async () => {
  const { list, visible } = scene();
  const many = Array.from({ length: 9 }, (_, index) => ({ name: `m${index}`, driverName: "none" }));
  await list.during(many, async () => assert.equal(visible()[1], "m0     none     ..."));
  assert.deepEqual(list.finish(), []);
});

test("where somebody can type, what can be typed stands above the table, and rows that have not what was typed are away", async () => {
  const keys = new ListKeys();
  const { list, visible } = scene(keys);
  const shown = (): string[] => visible().filter((line) => line !== "");
  await list.during(expected, async () => expected.forEach(({ name }) => list.heard(heard(name))));
  list.draw();
  assert.deepEqual(shown(), ["q ends, / filters", "NAME   DRIVER   STATE", "a      none     Running", "b      none     Running"]);
  for (const key of "/b") keys.press(key);
  list.draw();
  assert.deepEqual(shown().slice(1), ["NAME   DRIVER   STATE", "b      none     Running"]);
  keys.press("x");
  list.draw();
  assert.deepEqual(shown().slice(1), ["None of 2 has it"]);
  keys.press("\u001B");
  assert.equal(list.finish().length, 3);
  assert.deepEqual(shown(), []);
});
