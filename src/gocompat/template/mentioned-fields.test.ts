import assert from "node:assert/strict";
import { test } from "node:test";
import { mentionedFields } from "./mentioned-fields.ts";
import { parseTemplate } from "./template.ts";

test("the fields that a template can look at", () => {
  for (const [source, expected] of [
    ["{{.Name}} {{.State | printf `%d`}}", ["Name", "State"]],
    ["{{.EngineOptions.Labels}}{{(index .A 1).B}}", ["A", "B", "EngineOptions", "Labels"]],
    ["{{if eq .X 1}}{{.Y}}{{else}}{{.Z}}{{end}}", ["X", "Y", "Z"]],
    ["{{range $i, $each := .List}}{{$each}}{{$.Top}}{{end}}", ["List", "Top"]],
    ['{{define "row"}}{{.URL}}{{end}}{{template "row" .Inner}}', ["Inner", "URL"]],
    ["plain", []],
    ["{{.}}", undefined],
    ["{{printf `%v` $}}", undefined],
    ['{{define "row"}}{{.URL}}{{end}}{{template "row" .}}', undefined],
    ["{{with .A}}{{.}}{{end}}", undefined],
  ] as const) {
    const fields = mentionedFields(parseTemplate("", source));
    assert.deepEqual(fields && [...fields].toSorted(), expected, source);
  }
});
