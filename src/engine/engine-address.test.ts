import assert from "node:assert/strict";
import { test } from "node:test";
import { formatHostPort, parseEngineUrl } from "./engine-address.ts";

test("reads the address of an engine and writes it again", () => {
  assert.deepEqual(parseEngineUrl("tcp://192.0.2.7:2376"), { host: "192.0.2.7", port: 2376 });
  assert.deepEqual(parseEngineUrl("tcp://web.example.com:12376"), { host: "web.example.com", port: 12376 });
  assert.deepEqual(parseEngineUrl("tcp://[2001:db8::1]:2376/"), { host: "2001:db8::1", port: 2376 });
  assert.deepEqual(parseEngineUrl("https://192.0.2.7"), { host: "192.0.2.7", port: 2376 });
  assert.equal(formatHostPort({ host: "2001:db8::1", port: 2376 }), "[2001:db8::1]:2376");
  assert.equal(formatHostPort({ host: "web", port: 1 }), "web:1");
});

test("what is no address of an engine is said to be none", () => {
  for (const url of [
    "",
    "unix:///var/run/docker.sock",
    "192.0.2.7:2376",
    "tcp://:2376",
    "tcp://a:0",
    "tcp://a:65536",
    "tcp://2001:db8::1:2376",
  ]) {
    assert.throws(() => parseEngineUrl(url), { code: "usage" }, url);
  }
});
