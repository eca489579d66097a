import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { effectiveExecStart, environmentWord, execWord, plainWord, rawWords, serviceValues } from "./systemd-unit.ts";

/** What systemd makes of a quoted or bare word, written from systemd.syntax(7), systemd.unit(5) and systemd.service(5). */
function decoded(written: string, expandsVariables: boolean): string {
  const quoted = /^"([\s\S]*)"$/u.exec(written);
  const inner = quoted?.[1] ?? written.replace(/^\\;$/u, ";");
  const unescaped = inner.replace(/\\(x[0-9a-f]{2}|.)/gu, (_, escape: string) => {
    if (escape.startsWith("x")) return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return ({ n: "\n", t: "\t" } as Record<string, string>)[escape] ?? escape;
  });
  const specifiers = unescaped.replace(/%(.)/gu, (_, letter: string) => (letter === "%" ? "%" : `<specifier ${letter}>`));
  return expandsVariables
    ? specifiers.replace(/\$(\$|\w+)/gu, (_, name: string) => (name === "$" ? "$" : "<variable>"))
    : specifiers;
}

const anyText = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom(..."$%\"'\\`; \t\n#{}=:a1é".split("")),
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
    ),
    maxLength: 20,
  })
  .filter((text) => !text.includes("\0"));

test("a word of ExecStart means what was put in", () => {
  fc.assert(fc.property(anyText, (text) => assert.equal(decoded(execWord(text), true), text)));
});

test("a word of Environment means what was put in", () => {
  fc.assert(fc.property(anyText, (text) => assert.equal(decoded(environmentWord(`K=${text}`), false), `K=${text}`)));
});

test("words come back one by one from a command line", () => {
  fc.assert(
    fc.property(
      fc.array(
        anyText.filter((text) => text !== "" && text !== ";"),
        { maxLength: 5 },
      ),
      (texts) => {
        const written = texts.map(execWord);
        assert.deepEqual(rawWords(written.join("  ")), written);
      },
    ),
  );
});

test("words keep their quotes, and lose them only to be understood", () => {
  assert.deepEqual(rawWords(`/usr/bin/dockerd -H fd:// --label "a=b c" 'x y' $OPTS --a="1 2"`), [
    "/usr/bin/dockerd",
    "-H",
    "fd://",
    "--label",
    '"a=b c"',
    "'x y'",
    "$OPTS",
    '--a="1 2"',
  ]);
  assert.equal(plainWord('--a="1 2"'), "--a=1 2");
  assert.equal(plainWord("$$x%%"), "$x%");
});

const unit =
  "[Unit]\nExecStart=/not/this\n[Service]\n# ExecStart=/nor/this\nExecStart=/usr/bin/dockerd \\\n  -H fd:// \\\n  $OPTS\nType=notify\n";

test("a command line may span lines, and comments and other sections do not count", () => {
  assert.deepEqual(
    serviceValues(unit, "ExecStart").map((value) => rawWords(value)),
    [["/usr/bin/dockerd", "-H", "fd://", "$OPTS"]],
  );
});

test("an empty ExecStart takes back what came before, and the last file has the last word", () => {
  const base = { path: "/lib/docker.service", text: unit };
  const override = { path: "/etc/override.conf", text: "[Service]\nExecStart=\nExecStart=/opt/dockerd --debug\n" };
  const env = { path: "/etc/proxy.conf", text: "[Service]\nEnvironment=A=b\n" };
  assert.equal(effectiveExecStart([base, env])?.path, base.path);
  assert.deepEqual(effectiveExecStart([base, override, env]), { path: override.path, words: ["/opt/dockerd", "--debug"] });
  assert.equal(effectiveExecStart([env]), undefined);
});
