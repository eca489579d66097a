import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { peopleTable, type PeopleRow } from "./people-table.ts";

function row(name: string, change: Partial<PeopleRow> = {}): PeopleRow {
  return {
    name,
    driverName: "generic",
    active: "-",
    state: "Running",
    url: "tcp://10.20.30.40:2376",
    swarm: "",
    engineVersion: "v28.2.2",
    problem: "",
    ...change,
  };
}

const silence = "neither its engine at tcp://10.20.30.41:2376 nor its driver answered within 10 s";
const rows = [row("web", { active: "*" }), row("db", { state: "Timeout", url: "", engineVersion: "", problem: silence })];
const escape = "\u001B";
const visible = (line: string): string => line.replaceAll(new RegExp(`${escape}\\[\\d*m`, "gu"), "");

describe("the table for people", () => {
  it("has the columns that hold something, and one line a machine where there is room", () => {
    assert.deepEqual(peopleTable(rows, { columns: 160, hasColour: false }), [
      "NAME   ACTIVE   DRIVER    STATE     URL                      DOCKER    ERRORS",
      "web    *        generic   Running   tcp://10.20.30.40:2376   v28.2.2",
      `db              generic   Timeout                                      ${silence}`,
    ]);
  });

  it("tells what is wrong below the row where there is none, and gives up columns last", () => {
    assert.deepEqual(peopleTable(rows, { columns: 60, hasColour: false }), [
      "NAME   ACTIVE   DRIVER    STATE     URL",
      "web    *        generic   Running   tcp://10.20.30.40:2376",
      "db              generic   Timeout",
      "  neither its engine at tcp://10.20.30.41:2376 nor its",
      "  driver answered within 10 s",
    ]);
    assert.deepEqual(peopleTable([row("web")], { columns: 24, hasColour: false }), ["NAME   STATE", "web    Running"]);
  });

  it("is never wider than the terminal, whatever a machine is called", () => {
    const long = [row("x".repeat(90), { problem: `y${"z".repeat(120)} and more` }), row("web", { state: undefined })];
    for (const columns of [20, 40, 60, 80, 120, 160])
      for (const hasColour of [false, true])
        for (const line of peopleTable(long, { columns, hasColour }))
          assert.ok(Array.from(visible(line)).length < columns, `${columns}: ${line}`);
  });

  it("colours states, and nothing where that is not wanted", () => {
    const [, web = "", db = ""] = peopleTable(rows, { columns: 160, hasColour: true });
    assert.ok(web.includes("\u001B[32mRunning\u001B[0m") && db.includes("\u001B[31mTimeout\u001B[0m"));
    assert.equal(visible(web), peopleTable(rows, { columns: 160, hasColour: false })[1]);
  });

  it("marks what has changed since the round before, with colours alone", () => {
    const [, changed = ""] = peopleTable([row("web", { before: row("web", { state: "Stopped", url: "" }) })], {
      columns: 160,
      hasColour: true,
    });
    assert.ok(changed.includes("\u001B[32;7mRunning\u001B[0m") && changed.includes("\u001B[7mtcp://10.20.30.40:2376\u001B[0m"));
    assert.equal(changed.split("[7m").length, 2);
    const news = peopleTable([row("web", { before: row("web", { state: undefined, url: "" }) })], {
      columns: 160,
      hasColour: true,
    });
    assert.ok(!news.join("").includes("[7m"));
  });

  it("lets no text of others move the cursor", () => {
    const lines = peopleTable([row("web", { problem: "a\u001B[2Jb\nc" })], { columns: 160, hasColour: false });
    assert.equal(lines.length, 2);
    assert.ok(!lines.join("\n").includes(escape));
  });
});
