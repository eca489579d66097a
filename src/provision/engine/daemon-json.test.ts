import assert from "node:assert/strict";
import { test } from "node:test";
import { hostFacts, provisionRequest } from "../../../test/support/host-facts.ts";
import { isMachineError } from "../../errors/machine-error.ts";
import { mergeDaemonJson, withLiveRestore, type MergedSettings } from "./daemon-json.ts";
import { settingsFor } from "./engine-files.ts";
import type { EngineSettings } from "./engine-settings.ts";

const ours: EngineSettings = settingsFor(provisionRequest({ engine: { labels: ["rack=3"] } }), hostFacts(), "/etc/docker", [
  "tcp://0.0.0.0:2376",
]);

function merge(file: unknown, settings: Partial<EngineSettings> = {}): MergedSettings {
  return mergeDaemonJson({ ...ours, ...settings }, JSON.stringify(file), "web");
}

function conflict(file: unknown, settings: Partial<EngineSettings> = {}): string {
  try {
    merge(file, settings);
  } catch (error) {
    assert.ok(isMachineError(error, "engine-config-conflict"));
    return error.message;
  }
  return "";
}

const parsed = ({ daemonJson }: MergedSettings): unknown => JSON.parse(daemonJson ?? "null");

test("no file stays no file", () => {
  const merged = mergeDaemonJson(ours, undefined, "web");
  assert.deepEqual([merged.daemonJson, merged.omit.size, merged.joined], [undefined, 0, []]);
});

test("a file that says nothing about our settings is left byte for byte", () => {
  const text = '{\n\t"log-driver":   "journald",\n\t"live-restore": true\n}';
  const merged = mergeDaemonJson(ours, text, "web");
  assert.equal(merged.daemonJson, text);
  assert.equal(merged.omit.size, 0);
});

test("our host joins the hosts of the file, and none is a flag any more", () => {
  const merged = merge({ hosts: ["unix:///run/other.sock"] });
  assert.deepEqual(parsed(merged), { hosts: ["unix:///run/other.sock", "tcp://0.0.0.0:2376"] });
  assert.ok(merged.omit.has("-H"));
});

test("a file whose hosts have no local socket gets the usual one, so that the client on the host works", () => {
  assert.deepEqual(parsed(merge({ hosts: ["tcp://0.0.0.0:2376"] })), {
    hosts: ["tcp://0.0.0.0:2376", "unix:///var/run/docker.sock"],
  });
});

test("another TCP port is refused: it would begin to ask for certificates", () => {
  assert.match(conflict({ hosts: ["fd://", "tcp://127.0.0.1:2375"] }), /"hosts" to \["fd:\/\/","tcp:\/\/127\.0\.0\.1:2375"\]/u);
});

test("labels, registries and mirrors join those of the file", () => {
  const merged = merge({ labels: ["a=b"], "registry-mirrors": ["https://m1"] }, { registryMirrors: ["https://m2"] });
  assert.deepEqual(parsed(merged), {
    labels: ["a=b", "provider=generic", "rack=3"],
    "registry-mirrors": ["https://m1", "https://m2"],
  });
  assert.deepEqual([...merged.omit], ["--label", "--registry-mirror"]);
});

test("merging a merged file changes nothing", () => {
  const once = merge({ hosts: ["fd://"], labels: ["a=b"], tlsverify: true });
  const twice = mergeDaemonJson(ours, once.daemonJson, "web");
  assert.equal(twice.daemonJson, once.daemonJson);
  assert.deepEqual(twice.joined, []);
  assert.deepEqual(twice.omit, once.omit);
});

test("TLS settings that are ours are not said twice, others are refused with both values", () => {
  assert.deepEqual([...merge({ tlsverify: true, tlscert: "/etc/docker/server.pem" }).omit], ["--tlsverify", "--tlscert"]);
  assert.equal(
    conflict({ tlscert: "/etc/pki/x.pem" }),
    '/etc/docker/daemon.json on web sets "tlscert" to "/etc/pki/x.pem", but docker-machine needs "/etc/docker/server.pem"',
  );
  assert.match(conflict({ tlsverify: false }), /"tlsverify" to false/u);
});

test("an option that the file already sets to the same value is no flag; another value is refused", () => {
  assert.deepEqual(
    merge(
      { "log-driver": "journald", "exec-opts": ["native.cgroupdriver=systemd"], "log-opts": { "max-size": "10m" }, debug: true },
      {
        options: ["log-driver=journald", "exec-opt=native.cgroupdriver=systemd", "log-opt=max-size=10m", "debug", "mtu=1400"],
      },
    ).settings.options,
    ["mtu=1400"],
  );
  assert.match(conflict({ "log-driver": "syslog" }, { options: ["log-driver=journald"] }), /--log-driver=journald/u);
});

test("a storage driver of the file counts", () => {
  assert.ok(merge({ "storage-driver": "overlay2" }, { storageDriver: "overlay2" }).omit.has("--storage-driver"));
  assert.match(conflict({ "storage-driver": "vfs" }, { storageDriver: "overlay2" }), /"storage-driver" to "vfs"/u);
});

test("a file that is no JSON object is refused, since no engine starts with it", () => {
  for (const text of ["{", "[]", "null", "x"]) {
    assert.throws(
      () => mergeDaemonJson(ours, text, "web"),
      (error) => isMachineError(error, "engine-config-conflict"),
    );
  }
});

test("an empty file is no settings", () => {
  assert.equal(mergeDaemonJson(ours, "", "web").daemonJson, "");
});

test("live-restore is set beside what is there, in the file's own indentation", () => {
  assert.equal(withLiveRestore('{\n    "debug": true\n}\n', true, "web"), '{\n    "debug": true,\n    "live-restore": true\n}\n');
  assert.equal(withLiveRestore(undefined, false, "web"), '{\n  "live-restore": false\n}\n');
});

test("a byte order mark is no part of the JSON, and stays where nothing is changed", () => {
  const text = '\uFEFF{ "live-restore": true }\n';
  assert.equal(mergeDaemonJson(ours, text, "web").daemonJson, text);
});
