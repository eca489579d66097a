import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { isMachineError } from "../errors/machine-error.ts";
import { createMark, macAddressOf, markedName, requireInstanceName, requireMark, uuidOf } from "./marks.ts";

const fails = (work: () => unknown): void => assert.throws(work, (error) => isMachineError(error, "driver-failed"));

test("without an id there is no mark, no UUID, no name and no address", () => {
  for (const none of [undefined, ""]) {
    assert.equal(createMark(none), undefined);
    fails(() => requireMark(none));
  }
  for (const made of [() => uuidOf("instance", ""), () => macAddressOf("vmware", "lan", ""), () => markedName("web", "")])
    fails(made);
});

test("a mark fits the alphabet of each provider", () => {
  const { id, tag, label, word, setting } = requireMark(randomUUID());
  for (const value of [tag.value, label.value, setting.value]) assert.equal(value, id);
  assert.match(label.key, /^[a-z][a-z0-9_-]{0,62}$/u);
  assert.match(label.value, /^[a-z0-9_-]{0,63}$/u);
  assert.match(word, /^[a-zA-Z0-9_\-:]{1,60}$/u);
  for (const strange of ["A b", "x".repeat(43), "-", "Ünder", "a/b", " "]) fails(() => createMark(strange));
});

test("a UUID is the same for the same, differs by purpose and create, and is one of version 5", () => {
  // The example of RFC 9562, A.4: the namespace of DNS names is a UUID like any other.
  assert.equal(uuidOf("www.example.com", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
  fc.assert(
    fc.property(fc.uuid(), fc.uuid(), fc.string(), fc.string(), (one, other, purpose, another) => {
      assert.equal(uuidOf(purpose, one), uuidOf(purpose, one));
      assert.match(uuidOf(purpose, one), /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u);
      if (one !== other) assert.notEqual(uuidOf(purpose, one), uuidOf(purpose, other));
      if (purpose !== another) assert.notEqual(uuidOf(purpose, one), uuidOf(another, one));
    }),
  );
  assert.match(uuidOf("instance", "test-web"), /^[0-9a-f-]{36}$/u);
});

test("hardware addresses lie in the ranges of their hypervisors", () => {
  for (let round = 0; round < 50; round++) {
    const id = randomUUID();
    assert.match(macAddressOf("vmware", "lan", id), /^00:50:56:[0-3][0-9a-f](?::[0-9a-f]{2}){2}$/u);
    assert.match(macAddressOf("hyperv", "lan", id), /^00:15:5d(?::[0-9a-f]{2}){3}$/u);
    assert.match(macAddressOf("virtualbox", "lan", id), /^08:00:27(?::[0-9a-f]{2}){3}$/u);
    assert.notEqual(macAddressOf("virtualbox", "lan", id), macAddressOf("virtualbox", "nat", id));
    assert.equal(macAddressOf("virtualbox", "lan", id), macAddressOf("virtualbox", "lan", id));
  }
});

test("a name that a provider refuses is refused before, with one that it takes", () => {
  for (const [provider, good, bad, better] of [
    ["google", "web-1", "Web.1", "web-1"],
    ["google", "a".repeat(58), `${"a".repeat(57)}-b`, "a".repeat(57)],
    ["google", "m", "1", "m-1"],
    ["digitalocean", "Web.1", "web-", "web"],
    ["azure", "Web.1", "web.", "web"],
  ] as const) {
    requireInstanceName(provider, good);
    requireInstanceName(provider, better);
    assert.throws(
      () => requireInstanceName(provider, bad),
      (error) => isMachineError(error, "driver-options") && error.hint === `Name the machine ${better}.`,
    );
  }
});

test("what is suggested is taken, for every name that a machine can have", () => {
  const name = fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9.-]{0,80}$/u);
  fc.assert(
    fc.property(name, fc.constantFrom("google", "digitalocean", "azure"), (given, provider) => {
      try {
        requireInstanceName(provider, given);
      } catch (error) {
        assert.ok(isMachineError(error, "driver-options"));
        requireInstanceName(provider, /^Name the machine (.*)\.$/u.exec(error.hint ?? "")?.[1] ?? "");
      }
    }),
  );
});
