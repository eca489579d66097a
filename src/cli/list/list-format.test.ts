import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { goldenCases } from "../../../test/golden/golden-cases.ts";
import { isMachineError } from "../../errors/machine-error.ts";
import type { HostListItem } from "./host-list-item.ts";
import { depthOf, parseListFormat, renderList } from "./list-format.ts";

const unreachable = "Unable to query docker version: Cannot connect to the docker engine endpoint";

function itemOf(name: string, port: string, overrides: Partial<HostListItem> = {}): HostListItem {
  return {
    name,
    active: "-",
    activeHost: false,
    activeSwarm: false,
    driverName: "none",
    state: "Running",
    url: `tcp://127.0.0.${port}`,
    swarmOptions: null,
    swarm: "",
    engineOptions: null,
    error: unreachable,
    dockerVersion: "Unknown",
    responseTimeMs: 3,
    ...overrides,
  };
}

const items = [
  itemOf("alpha", "10:2376"),
  itemOf("beta2", "11:2376"),
  itemOf("beta10", "12:2376"),
  itemOf("master", "13:3376", { swarm: "master (master)" }),
];

function render(format: string, rows = items): string {
  const { text, error } = renderList(parseListFormat(format), rows);
  assert.equal(error, undefined);
  return text;
}

function golden(...args: string[]): string {
  const found = goldenCases().find((candidate) => JSON.stringify(candidate.args) === JSON.stringify(args));
  assert.ok(found);
  return found.code === 0 ? found.stdout : found.stderr;
}

describe("the text of ls", () => {
  it("is the table of 0.16.2 by default, also without machines", () => {
    assert.equal(render(""), golden("ls"));
    assert.equal(render("", []), "NAME   ACTIVE   DRIVER   STATE   URL   SWARM   DOCKER   ERRORS\n");
  });

  it("follows a format, in columns after `table`, with tabs written out or as such", () => {
    const format = "{{.Name}} {{.DriverName}} {{.State}}";
    assert.equal(render(format), golden("ls", "-f", format));
    assert.equal(render("table {{.Name}}\t{{.URL}}"), golden("ls", "-f", "table {{.Name}}\t{{.URL}}"));
    assert.equal(render(String.raw`table {{.Name}}\t{{.URL}}`), golden("ls", "-f", "table {{.Name}}\t{{.URL}}"));
    assert.equal(render('{{.Name | printf "%q"}}'), golden("ls", "-f", '{{.Name | printf "%q"}}'));
    assert.equal(render(String.raw`{{.Name}}\n-`, items.slice(0, 1)), "alpha\n-\n");
  });

  it("shows what is of other types as Go does", () => {
    const row = itemOf("a", "1:1", {
      engineOptions: { Labels: ["tier=web", "zone=a"], Dns: null, TlsVerify: true },
      swarmOptions: { IsSwarm: true, Heartbeat: 3 },
      responseTimeMs: 1500,
    });
    const format =
      '{{.EngineOptions.Labels}} {{.EngineOptions.TLSVerify}} {{.SwarmOptions.Heartbeat}} {{.ResponseTime}} {{printf "%d" .State}}';
    assert.equal(render(format, [row]), "[tier=web zone=a] true 3 1.5s 1\n");
  });

  it("refuses a bad template before anything is asked, in Go's words", () => {
    assert.throws(
      () => parseListFormat("{{json .}}"),
      (error) => isMachineError(error, "template-invalid") && `${error.message}\n` === golden("ls", "-f", "{{json .}}"),
    );
  });

  it("asks of machines what it can show, and no more", () => {
    for (const [format, depth] of [
      ["{{.Name}}", "record"],
      ["table {{.Name}}\\t{{.EngineOptions.Labels}}", "record"],
      ["{{.Name}} {{.DriverName}}", "driver"],
      ["{{.Name}} {{.Active}}", "machine"],
      ["{{.Name}} {{.Swarm}}", "machine"],
      ["{{.}}", "machine"],
      ["", "machine"],
    ] as const)
      assert.equal(depthOf(parseListFormat(format)), depth, format);
  });

  it("keeps what was written before a row failed", () => {
    const plain = renderList(parseListFormat("{{.Name}} {{.Nope}}"), items);
    assert.equal(plain.text, "alpha ");
    assert.equal(renderList(parseListFormat("{{.Nope}}"), items).error?.message, golden("ls", "-f", "{{.Nope}}").trimEnd());
    const table = renderList(parseListFormat("table {{.Name}}\t{{.Nope}}"), items);
    assert.equal(table.text, "NAME   <no value>\nalpha");
  });
});
