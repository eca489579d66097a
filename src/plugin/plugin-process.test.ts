import assert from "node:assert/strict";
import { test } from "node:test";
import { commandOf, parseAddress } from "./plugin-process.ts";

test("an address is a host of this computer and a port", () => {
  assert.deepEqual(parseAddress("127.0.0.1:34567"), { host: "127.0.0.1", port: 34_567 });
  assert.deepEqual(parseAddress("  127.0.0.1:1 \r"), { host: "127.0.0.1", port: 1 });
  assert.deepEqual(parseAddress("[::1]:80"), { host: "::1", port: 80 });
  assert.deepEqual(parseAddress("localhost:80"), { host: "localhost", port: 80 });
  for (const line of [
    "",
    "hello there",
    "127.0.0.1",
    ":80",
    "127.0.0.1:0",
    "127.0.0.1:65536",
    "192.0.2.1:80",
    "[2001:db8::1]:80",
    "127.0.0.1:80 now",
  ]) {
    assert.equal(parseAddress(line), undefined, line);
  }
});

test("batch files are run by the command interpreter, on Windows only", () => {
  const windows = { os: "windows", env: { ComSpec: "C:\\Windows\\cmd.exe" } } as const;
  assert.deepEqual(commandOf("C:\\bin\\x.CMD", windows), ["C:\\Windows\\cmd.exe", "/d", "/c", "C:\\bin\\x.CMD"]);
  assert.deepEqual(commandOf("C:\\bin\\x.exe", windows), ["C:\\bin\\x.exe"]);
  assert.deepEqual(commandOf("/bin/x.cmd", { os: "linux", env: {} }), ["/bin/x.cmd"]);
});
