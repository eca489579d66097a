import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeRecord, encodeRecord } from "../codec.ts";
import type { HostRecord } from "../host-record.ts";
import { fixtureText } from "../testing/records.ts";

const root = "/home/ana/.docker/machine";
const place = { name: "dev", storeRoot: root };

const wanted = {
  "version-0-of-0.1": 0,
  "version-0-of-0.3": 0,
  "version-1": 1,
  "version-2": 2,
};

for (const [fixture, version] of Object.entries(wanted)) {
  const text = fixtureText(fixture);

  test(`${fixture}: certificates, keys and folders are where they were`, () => {
    const decoded = decodeRecord(text, place);
    assert.equal(decoded.version, version);
    assert.deepEqual(decoded.record.hostOptions.AuthOptions, {
      CertDir: `${root}/certs`,
      CaCertPath: `${root}/certs/ca.pem`,
      CaPrivateKeyPath: `${root}/certs/ca-key.pem`,
      CaCertRemotePath: "",
      ServerCertPath: `${root}/machines/dev/server.pem`,
      ServerKeyPath: `${root}/machines/dev/server-key.pem`,
      ClientKeyPath: `${root}/certs/key.pem`,
      ServerCertRemotePath: "",
      ServerKeyRemotePath: "",
      ClientCertPath: `${root}/certs/cert.pem`,
      ServerCertSANs: null,
      StorePath: `${root}/machines/dev`,
    });
    assert.equal((JSON.parse(decoded.record.driverConfigText) as { StorePath: string }).StorePath, root);
    assert.equal(decoded.record.hostOptions.EngineOptions.TlsVerify, true);
    assert.equal(decoded.record.hostOptions.EngineOptions.InstallURL, "https://get.docker.com");
  });

  test(`${fixture}: becomes a text of version 3 in its order, once`, () => {
    const decoded = decodeRecord(text, place);
    const encoded = encodeRecord(decoded.record, text, place);
    assert.equal(encoded?.isMigration, true);
    assert.equal(encoded.text, decoded.text);
    assert.deepEqual(Object.keys(JSON.parse(encoded.text) as object), [
      "ConfigVersion",
      "Driver",
      "DriverName",
      "HostOptions",
      "Name",
    ]);
    assert.match(encoded.text, /^\{\n {4}"ConfigVersion": 3,\n/u);
    assert.equal(encodeRecord(decodeRecord(encoded.text, place).record, encoded.text, place), undefined);
  });
}

function migrated(fixture: string): HostRecord {
  return decodeRecord(fixtureText(fixture), place).record;
}

test("0.1: swarm options come from the top level", () => {
  const { Discovery, Host, Master } = migrated("version-0-of-0.1").hostOptions.SwarmOptions;
  assert.deepEqual({ Discovery, Host, Master }, { Discovery: "token://1234", Host: "tcp://0.0.0.0:3376", Master: true });
});

test("0.3: engine options are not lost to the empty top level", () => {
  const { Labels, StorageDriver } = migrated("version-0-of-0.3").hostOptions.EngineOptions;
  assert.deepEqual({ Labels, StorageDriver }, { Labels: ["tier=web"], StorageDriver: "overlay" });
  assert.equal(migrated("version-0-of-0.3").hostOptions.SwarmOptions.Strategy, "spread");
});

test("2: the driver keeps its order and its 64-bit number", () => {
  assert.equal(
    migrated("version-2").driverConfigText,
    '{"IPAddress":"203.0.113.7","MachineName":"dev","SSHUser":"root","SSHPort":22,"SwarmMaster":false,"SwarmHost":"tcp://0.0.0.0:3376",' +
      `"SwarmDiscovery":"","AccessToken":"0123456789abcdef","DropletID":9007199254740993,"Size":"512mb","StorePath":"${root}"}`,
  );
});

test("a record that does not say where it is takes the place where it was found", () => {
  const text = '{"Driver":{"MachineName":"dev"},"DriverName":"none"}';
  const record = decodeRecord(text, { name: "dev", storeRoot: "/else" }).record;
  assert.equal(record.hostOptions.AuthOptions.StorePath, "/else/machines/dev");
  assert.equal(record.hostOptions.AuthOptions.CertDir, "/else/certs");
  assert.equal(record.driverConfigText, '{"MachineName":"dev","StorePath":"/else"}');
});

test("what no step knows is carried along", () => {
  const old = JSON.parse(fixtureText("version-1")) as Record<string, unknown>;
  const text = decodeRecord(
    JSON.stringify({ ...old, Note: "keep", HostOptions: { ...(old["HostOptions"] as object), Vendor: { a: 1 } } }),
    place,
  ).text;
  const result = JSON.parse(text) as { Note: string; HostOptions: { Vendor: unknown } };
  assert.equal(result.Note, "keep");
  assert.deepEqual(result.HostOptions.Vendor, { a: 1 });
});
