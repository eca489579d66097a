import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSshWords } from "./ssh-words.ts";

type Parsed = ReturnType<typeof parseSshWords>;

const cases: readonly (readonly [string, Parsed])[] = [
  ["", { command: undefined, terminal: "auto", sshFlags: [] }],
  ["uname -a", { command: "uname -a", terminal: "auto", sshFlags: [] }],
  ["-- uname -a", { command: "uname -a", terminal: "auto", sshFlags: [] }],
  ["-- -t", { command: "-t", terminal: "auto", sshFlags: [] }],
  ["-t top", { command: "top", terminal: "yes", sshFlags: [] }],
  ["-tt top", { command: "top", terminal: "force", sshFlags: [] }],
  ["-t -t top", { command: "top", terminal: "force", sshFlags: [] }],
  ["-tT top", { command: "top", terminal: "no", sshFlags: [] }],
  ["-q ls", { command: "ls", terminal: "auto", sshFlags: [] }],
  ["-L 8080:localhost:80 -N", { command: undefined, terminal: "auto", sshFlags: ["-L", "8080:localhost:80", "-N"] }],
  ["-L8080:localhost:80 -N", { command: undefined, terminal: "auto", sshFlags: ["-L8080:localhost:80", "-N"] }],
  ["-ANL 8080:x:80 ls -L", { command: "ls -L", terminal: "auto", sshFlags: ["-A", "-N", "-L", "8080:x:80"] }],
  ["-tAo X=y -- ls", { command: "ls", terminal: "yes", sshFlags: ["-A", "-o", "X=y"] }],
  ["-o", { command: undefined, terminal: "auto", sshFlags: ["-o"] }],
  ["- x", { command: "- x", terminal: "auto", sshFlags: [] }],
];

for (const [words, expected] of cases) {
  test(`ssh NAME ${words}`, () => {
    assert.deepEqual(parseSshWords(words.split(" ").filter((word) => word !== "")), expected);
  });
}

test("words are joined as they are, as ssh does", () => {
  assert.equal(parseSshWords(["echo", "a  b", ""]).command, "echo a  b ");
});
