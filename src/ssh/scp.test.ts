import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCopyArgument } from "./scp.ts";

const asTyped: readonly (readonly [string, ReturnType<typeof parseCopyArgument>])[] = [
  ["/tmp/a", { machine: undefined, user: undefined, path: "/tmp/a" }],
  ["web:/tmp/a", { machine: "web", user: undefined, path: "/tmp/a" }],
  ["web:", { machine: "web", user: undefined, path: "" }],
  ["admin@web:a:b", { machine: "web", user: "admin", path: "a:b" }],
  ["@web:a", { machine: "web", user: undefined, path: "a" }],
  ["localhost:/tmp/a", { machine: undefined, user: undefined, path: "/tmp/a" }],
  ["./a:b", { machine: undefined, user: undefined, path: "./a:b" }],
  ["/var/log/app-10:00.log", { machine: undefined, user: undefined, path: "/var/log/app-10:00.log" }],
  ["logs/app-10:00.log", { machine: undefined, user: undefined, path: "logs/app-10:00.log" }],
  [".a:b", { machine: undefined, user: undefined, path: ".a:b" }],
  ["~/a:b", { machine: undefined, user: undefined, path: "~/a:b" }],
  ["C:\\a", { machine: "C", user: undefined, path: "\\a" }],
];
for (const [text, expected] of asTyped) {
  test(`scp argument ${text}`, () => assert.deepEqual(parseCopyArgument(text, "linux"), expected));
}
test("a Windows path is no machine, on Windows", () => {
  assert.equal(parseCopyArgument("C:\\a", "windows").machine, undefined);
  assert.equal(parseCopyArgument("c:relative", "windows").machine, "c");
});
