import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { isMachineError, type MachineError } from "../errors/machine-error.ts";
import { decodeRecord, encodeNewRecord, encodeRecord } from "./codec.ts";
import type { HostRecord } from "./host-record.ts";
import { zeroHostOptions } from "./record-fields.ts";
import { goldenMachines, goldenText, newRecord } from "./testing/records.ts";

const place = { name: "web", storeRoot: "/store" };

function decode(text: string): HostRecord {
  return decodeRecord(text, place).record;
}

function failureOf(text: string): MachineError {
  try {
    decodeRecord(text, place);
  } catch (error) {
    if (isMachineError(error)) return error;
    throw error;
  }
  return assert.fail("it was read");
}

for (const name of goldenMachines) {
  test(`what 0.16.2 wrote for ${name} is read whole and written back byte for byte`, () => {
    const text = goldenText(name);
    const { record, version } = decodeRecord(text, { name, storeRoot: "/tmp/store" });
    assert.equal(version, 3);
    assert.equal(encodeNewRecord(record), text);
    assert.equal(encodeRecord(record, text, { name, storeRoot: "/tmp/store" }), undefined);
  });
}

test("reads every field into its place", () => {
  const record = decodeRecord(goldenText("master"), { name: "master", storeRoot: "/tmp/store" }).record;
  assert.equal(record.driverName, "none");
  assert.equal((JSON.parse(record.driverConfigText) as { URL: string }).URL, "tcp://127.0.0.13:3376");
  assert.equal(record.hostOptions.SwarmOptions.Master, true);
  assert.equal(record.hostOptions.SwarmOptions.Discovery, "token://abc");
  assert.deepEqual(record.hostOptions.EngineOptions.Labels, []);
  assert.equal(record.hostOptions.EngineOptions.Dns, null);
  assert.equal(record.hostOptions.AuthOptions.StorePath, "/tmp/store/machines/master");
});

test("a change touches its own line only", () => {
  const text = goldenText("alpha");
  const record = decode(text);
  record.hostOptions.EngineOptions.StorageDriver = "overlay2";
  assert.equal(
    encodeRecord(record, text, { ...place, name: "alpha" })?.text,
    text.replace('"StorageDriver": ""', '"StorageDriver": "overlay2"').replace('"Name": "alpha"', '"Name": "web"'),
  );
});

const handWritten = `{"Name": "web", "Future": {"b": 1, "10": 1.0, "9": 18446744073709551615},
  "ConfigVersion": 3, "DriverName": "generic", "Driver": {"SSHPort": 22, "Big": 9007199254740993},
  "HostOptions": {"Memory": 18446744073709551615, "AuthOptions": {"StorePath": "/x", "Later": [null]}}}`;

test("a text that someone laid out by hand is left alone while nothing changes", () => {
  assert.equal(encodeRecord(decode(handWritten), handWritten, place), undefined);
});

test("a byte order mark before it does not count, and goes with the first change", () => {
  const text = encodeNewRecord(newRecord("web"));
  const { record } = decodeRecord(`\uFEFF${text}`, place);
  assert.deepEqual(record, decode(text));
  assert.equal(encodeRecord(record, `\uFEFF${text}`, place), undefined);
  assert.match(encodeRecord({ ...record, driverName: "other" }, `\uFEFF${text}`, place)?.text ?? "", /^\{\n/u);
});

test("unknown keys, their order, and 64-bit numbers survive a change elsewhere", () => {
  const record = decode(handWritten);
  record.driverName = "none";
  assert.equal(
    encodeRecord(record, handWritten, place)?.text,
    `{
    "Name": "web",
    "Future": {
        "b": 1,
        "10": 1.0,
        "9": 18446744073709551615
    },
    "ConfigVersion": 3,
    "DriverName": "none",
    "Driver": {
        "SSHPort": 22,
        "Big": 9007199254740993
    },
    "HostOptions": {
        "Memory": 18446744073709551615,
        "AuthOptions": {
            "StorePath": "/x",
            "Later": [
                null
            ]
        }
    }
}`,
  );
});

test("the driver's text replaces the old one as it is: keys that are gone are gone, numbers keep their spelling", () => {
  const record = { ...decode(handWritten), driverConfigText: '{"Port":1.0,"9":"<a>","1":null}' };
  const text = encodeRecord(record, handWritten, place)?.text ?? "";
  assert.match(text, /"Driver": \{\n {8}"Port": 1\.0,\n {8}"9": "\\u003ca\\u003e",\n {8}"1": null\n {4}\}/u);
});

test("Extra stands last, only when there is something in it, and goes when it is emptied", () => {
  const text = goldenText("alpha");
  const record = decodeRecord(text, { name: "alpha", storeRoot: "/tmp/store" }).record;
  const withExtra = encodeRecord({ ...record, extra: { EngineSource: "docker", Later: { a: 1 } } }, text, place)?.text ?? "";
  assert.equal(
    withExtra,
    text.replace(
      /\n\}$/u,
      ',\n    "Extra": {\n        "EngineSource": "docker",\n        "Later": {\n            "a": 1\n        }\n    }\n}',
    ),
  );
  const again = decodeRecord(withExtra, { name: "alpha", storeRoot: "/tmp/store" }).record;
  assert.deepEqual(again.extra, { EngineSource: "docker", Later: { a: 1 } });
  assert.equal(encodeRecord({ ...again, extra: {} }, withExtra, place)?.text, text);
  assert.equal(encodeRecord({ ...again, extra: { Later: { a: 1 } } }, withExtra, place)?.text.includes("EngineSource"), false);
});

test("an Extra that is not ours is kept and not understood", () => {
  const text = '{"ConfigVersion":3,"Driver":{},"Name":"web","Extra":"mine"}';
  const record = decode(text);
  assert.deepEqual(record.extra, {});
  assert.equal(encodeRecord(record, text, place), undefined);
});

test("missing and null fields have Go's zero values and are not added", () => {
  const text =
    '{"ConfigVersion":3,"Driver":{},"DriverName":"none","HostOptions":{"EngineOptions":null,"Memory":null},"Name":"web"}';
  const record = decode(text);
  assert.deepEqual(record.hostOptions, zeroHostOptions());
  assert.equal(encodeRecord(record, text, place), undefined);
});

test("the name is the folder's, whatever the text says", () => {
  const record = decode('{"ConfigVersion":3,"Driver":{},"Name":"other"}');
  assert.equal(record.name, "web");
});

const unreadable: readonly (readonly [what: string, text: string, message: string])[] = [
  ["empty", "", 'config.json of machine "web" is empty'],
  ["white space", " \n", 'config.json of machine "web" is empty'],
  ["cut off", '{\n    "ConfigVersion": 3,\n    "Dri', 'config.json of machine "web" is cut off: unexpected end of JSON input'],
  [
    "no JSON",
    '{"a":1,}',
    'config.json of machine "web" is not JSON: line 1, column 8: invalid character "}" looking for beginning of object key string',
  ],
  ["another value", "null", 'config.json of machine "web" is not a JSON object'],
  ["a list", "[]", 'config.json of machine "web" is not a JSON object'],
  ["a version in words", '{"ConfigVersion":"3"}', 'config.json of machine "web" has a ConfigVersion that is no version number'],
  ["half a version", '{"ConfigVersion":2.5}', 'config.json of machine "web" has a ConfigVersion that is no version number'],
  ["no driver", '{"ConfigVersion":3}', 'config.json of machine "web" has no Driver object'],
  [
    "a wrong type",
    '{"ConfigVersion":3,"Driver":{},"HostOptions":{"Memory":"1"}}',
    'config.json of machine "web" holds a wrong value: HostOptions.Memory is a string, not a number',
  ],
  [
    "a wrong struct",
    '{"ConfigVersion":3,"Driver":{},"HostOptions":{"EngineOptions":[]}}',
    'config.json of machine "web" holds a wrong value: HostOptions.EngineOptions is an array, not an object',
  ],
  [
    "a wrong list",
    '{"ConfigVersion":3,"Driver":{},"HostOptions":{"EngineOptions":{"Labels":["a",1]}}}',
    'config.json of machine "web" holds a wrong value: HostOptions.EngineOptions.Labels[1] is a number, not a string',
  ],
];
for (const [what, text, message] of unreadable) {
  test(`a record that is ${what} is unreadable, and the way out is named`, () => {
    const error = failureOf(text);
    assert.equal(error.code, "record-unreadable");
    assert.equal(error.message, message);
    assert.match(error.hint ?? "", /docker-machine rm -f web/u);
    assert.throws(() => encodeRecord(newRecord("web"), text, place), { code: "record-unreadable" }, "and is not overwritten");
  });
}

test("a record from the future is left alone", () => {
  const error = failureOf('{"ConfigVersion":4}');
  assert.equal(error.code, "record-from-future");
  assert.equal(error.message, "config version is from the future -- you should upgrade your Docker Machine client");
});

test("every record survives being written and read", () => {
  const strings = fc.option(fc.array(fc.oneof(fc.string(), fc.constantFrom("<&>", "\u2028", "\u0000\u007f", "é😀"))), {
    nil: null,
  });
  const zero = zeroHostOptions();
  const records = fc.record({
    name: fc.constant("web"),
    driverName: fc.string(),
    driverConfigText: fc
      .dictionary(fc.string(), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 5 })
      .map((value) => JSON.stringify(value)),
    hostOptions: fc.record({ labels: strings, memory: fc.nat(), tls: fc.boolean(), strategy: fc.string() }).map((choice) => ({
      ...zero,
      Memory: choice.memory,
      EngineOptions: { ...zero.EngineOptions, Labels: choice.labels, TlsVerify: choice.tls },
      SwarmOptions: { ...zero.SwarmOptions, Strategy: choice.strategy },
    })),
    extra: fc
      .dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }))
      .map((value) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>),
  });
  fc.assert(
    fc.property(records, records, (first, second) => {
      const text = encodeNewRecord(first);
      assert.deepEqual(comparable(decode(text)), comparable(first));
      const changed = encodeRecord(second, text, place)?.text ?? text;
      assert.deepEqual(comparable(decode(changed)), comparable(second));
      assert.equal(encodeRecord(decode(changed), changed, place), undefined);
    }),
    { numRuns: 50 },
  );
});

function comparable(record: HostRecord): unknown {
  return { ...record, driverConfigText: JSON.parse(record.driverConfigText) as unknown };
}
