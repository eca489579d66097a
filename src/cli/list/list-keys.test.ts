import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { listRow } from "../testing/list-row.ts";
import { ListKeys } from "./list-keys.ts";
import { peopleRow } from "./live-list.ts";

const web = peopleRow(listRow("web"));
const mute = peopleRow(listRow("mute", { state: "Timeout", reason: "its driver did not answer" }));

function typed(text: string): ListKeys {
  const keys = new ListKeys();
  for (const key of text) assert.ok(!keys.press(key), key);
  return keys;
}

describe("keys of ls --watch", () => {
  it("q ends the list, but is a letter of a filter", () => {
    assert.ok(new ListKeys().press("q"));
    const keys = typed("/q\r");
    assert.equal(keys.line, "Filter: q   (/ changes it, Esc clears it, q ends)");
    assert.ok(keys.press("q"));
  });

  it("a filter is what stands in any column, in whatever case", () => {
    for (const text of ["/WEB", "/running", "/127.0"]) assert.ok(typed(text).passes(web), text);
    assert.ok(!typed("/timeout").passes(web));
    assert.ok(typed("/not answer").passes(mute));
  });

  it("Backspace takes back a letter, Ctrl-U all of them, Esc the filter", () => {
    assert.match(typed("/we\u{1F600}\u007F\u007Fx").line, /^Filter: wx_ /u);
    assert.match(typed("/we\u0015x").line, /^Filter: x_ /u);
    assert.equal(typed("/web\u001B").line, "q ends, / filters");
    assert.equal(typed("/web\r\u001B").line, "q ends, / filters");
  });

  it("other keys do nothing", () => {
    const keys = new ListKeys();
    for (const key of ["x", "\r", "\u001B[A", "\t", "\u007F"]) assert.ok(!keys.press(key));
    assert.equal(keys.line, "q ends, / filters");
    keys.press("/");
    keys.press("\u001B[A");
    assert.match(keys.line, /^Filter: _ /u);
  });
});
