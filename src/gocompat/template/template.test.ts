import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { answerOf, decodeInput, fromPortable, goFunctions, goVectors, type GoVector } from "../../../test/support/go-vectors.ts";
import { isMachineError } from "../../errors/machine-error.ts";
import { toDisplayText } from "../go-string.ts";
import { jsonFunctions } from "../json-format.ts";
import { quote } from "../quote.ts";
import { executeTemplate, parseTemplate, TemplateError } from "./template.ts";

const datasets = decodeInput(
  JSON.parse(readFileSync(new URL("../../../test/fixtures/go/template-data.json", import.meta.url), "utf8")),
) as Record<string, unknown>;

function render(source: string, data: unknown = {}): string {
  return executeTemplate(parseTemplate("", source), data);
}

function renderVector({ name, text, data, dataset, functions }: GoVector): string {
  const template = parseTemplate((name ?? "") as string, text as string, {
    functions: functions === true ? { ...jsonFunctions, ...goFunctions } : {},
  });
  return executeTemplate(template, dataset === undefined ? decodeInput(data) : datasets[dataset as string]);
}

function failureOf(source: string, data: unknown = {}): TemplateError {
  try {
    render(source, data);
  } catch (error) {
    if (error instanceof TemplateError) return error;
    throw error;
  }
  return assert.fail(`${source} renders`);
}

describe("templates", () => {
  test("answer as Go does: output, error text, and what was written before an error", () => {
    const vectors = goVectors("template", "template");
    assert.ok(vectors.length > 400);
    for (const vector of vectors) {
      const ours = answerOf(() => renderVector(vector));
      const written = toDisplayText((fromPortable(vector.out) ?? "") as string);
      assert.deepEqual(
        { text: vector["text"], ...ours },
        { text: vector["text"], out: written, error: fromPortable(vector.error) },
      );
    }
  });

  test("an error has a code, a place, and what was written before", () => {
    const parsing = failureOf("a\n{{.Name");
    assert.ok(isMachineError(parsing, "template-invalid"));
    assert.deepEqual([parsing.message, parsing.place, parsing.output], ["template: :2: unclosed action", { line: 2 }, ""]);
    const executing = failureOf("é\n  {{len 3}}");
    assert.deepEqual([executing.place, executing.output], [{ line: 2, column: 4 }, "é\n  "]);
  });

  test("templates that call each other without end are stopped", () => {
    const error = failureOf('{{define "a"}}{{template "b" .}}{{end}}{{define "b"}}{{template "a" .}}{{end}}{{template "a" .}}');
    assert.match(error.message, /exceeded maximum template depth \(1000\)$/);
  });

  test("absurdly nested sources are refused", () => {
    assert.match(failureOf(`{{${"(".repeat(5000)}`).message, /nested too deeply$/);
    assert.match(failureOf("{{if 1}}".repeat(5000)).message, /nested too deeply$/);
  });

  test("a range assigns the variables it names", () => {
    assert.equal(render("{{$x := 0}}{{$y := 9}}{{range $x = .}}{{end}}{{$x}} {{$y}}", [1, 2]), "2 9");
  });

  test("text without an action is the output", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme" }).filter((text) => !text.includes("{{")),
        (text) => {
          assert.equal(render(text), text);
        },
      ),
    );
  });

  test("a quoted literal prints what was quoted", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        assert.equal(render(`{{${quote(text)}}}`), text);
        assert.equal(render('{{printf "%s" .}}', text), text);
      }),
    );
  });

  test("trim markers take the white space around an action", () => {
    const space = fc.stringMatching(/^[ \t\r\n]*$/);
    fc.assert(
      fc.property(space, space, (before, after) => {
        assert.equal(render(`a${before}{{- "-" -}}${after}b`), "a-b");
        assert.equal(render(`a${before}{{"-"}}${after}b`), `a${before}-${after}b`);
      }),
    );
  });

  test("a path of fields finds what is there", () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]*$/), { minLength: 1 }), fc.string(), (path, value) => {
        const data = path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
        assert.equal(render(`{{${path.map((name) => `.${name}`).join("")}}}`, data), value);
      }),
    );
  });

  test("no source makes it throw anything but a template error", () => {
    const pieces = fc.constantFrom(
      "{{",
      "}}",
      "{{-",
      "-}}",
      " ",
      "\n",
      "x",
      ".",
      ".a",
      "$",
      "$x",
      ":=",
      "=",
      "|",
      "(",
      ")",
      ",",
      '"s"',
      "`r",
      "'c'",
      "1",
      "-2.5",
      "0x",
      "1i",
      "if",
      "else",
      "end",
      "range",
      "with",
      "define",
      "block",
      "template",
      "break",
      "continue",
      "nil",
      "true",
      "len",
      "index",
      "slice",
      "printf",
      "eq",
      "lt",
      "and",
      "or",
      "not",
      "html",
      "js",
      "call",
      "/*",
      "*/",
      "é",
      "@",
      "\\",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), fc.jsonValue(), (parts, data) => {
        for (const source of [parts.join(""), `{{${parts.join(" ")}}}`]) {
          const answer = answerOf(() => render(source, data));
          assert.ok(answer.error === undefined || answer.error.startsWith("template: "), `${source}: ${answer.error}`);
        }
      }),
      { numRuns: 500 },
    );
  });
});
