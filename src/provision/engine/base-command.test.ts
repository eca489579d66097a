import assert from "node:assert/strict";
import { test } from "node:test";
import { debianEngine } from "../../../test/support/host-facts.ts";
import { isMachineError } from "../../errors/machine-error.ts";
import type { EngineFacts, UnitFile } from "../facts/facts.ts";
import { baseCommand, hostsFor, withoutHosts } from "./base-command.ts";

function engineWith(execStart: string, more: readonly UnitFile[] = [], settings: readonly UnitFile[] = []): EngineFacts {
  return {
    ...debianEngine,
    unitFiles: [{ path: "/lib/systemd/system/docker.service", text: `[Service]\nExecStart=${execStart}\n` }, ...more],
    settingsFiles: settings,
  };
}

const dropIn = (name: string, execStart: string): UnitFile => ({
  path: `/etc/systemd/system/docker.service.d/${name}`,
  text: `[Service]\nExecStart=\nExecStart=${execStart}\n`,
});
const base = (engine: EngineFacts): ReturnType<typeof baseCommand> => baseCommand(engine, 2376, "/etc/docker", "web");

function conflict(engine: EngineFacts): string {
  try {
    base(engine);
  } catch (error) {
    assert.ok(isMachineError(error, "engine-config-conflict"));
    return error.message;
  }
  return "";
}

test("what the unit and its owner say is kept word for word", () => {
  const found = base(
    engineWith("/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock --data-root '/big disk' $DOCKER_OPTS"),
  );
  assert.deepEqual(found.words, [
    "/usr/sbin/dockerd",
    "-H",
    "fd://",
    "--containerd=/run/containerd/containerd.sock",
    "--data-root",
    "'/big disk'",
    "$DOCKER_OPTS",
  ]);
  assert.deepEqual(hostsFor(found, "tcp://0.0.0.0:2376"), ["tcp://0.0.0.0:2376"]);
});

test("an engine that opens no local socket gets one", () => {
  assert.deepEqual(hostsFor(base(engineWith("/usr/bin/dockerd")), "tcp://0.0.0.0:2376"), [
    "tcp://0.0.0.0:2376",
    "unix:///var/run/docker.sock",
  ]);
});

test("our own drop-in is not its own base", () => {
  const ours = dropIn("10-machine.conf", "/usr/bin/dockerd -H tcp://0.0.0.0:2376 --tlsverify --label provider=generic");
  assert.deepEqual(base(engineWith("/usr/sbin/dockerd -H fd://", [ours])).words, ["/usr/sbin/dockerd", "-H", "fd://"]);
});

test("an owner's drop-in before ours is the base, and one after ours makes ours come later still", () => {
  const early = base(engineWith("/a/dockerd", [dropIn("05-site.conf", "/b/dockerd -H fd://")]));
  assert.deepEqual([early.words[0], early.dropInPath], ["/b/dockerd", "/etc/systemd/system/docker.service.d/10-machine.conf"]);
  const late = base(
    engineWith("/a/dockerd", [dropIn("10-machine.conf", "/old"), dropIn("override.conf", "/c/dockerd -H fd://")]),
  );
  assert.deepEqual([late.words[0], late.dropInPath], ["/c/dockerd", "/etc/systemd/system/docker.service.d/zz-machine.conf"]);
  assert.equal(late.staleDropIn, "/etc/systemd/system/docker.service.d/10-machine.conf");
});

test("flags that we set ourselves are not kept twice", () => {
  const found = base(
    engineWith(
      "/usr/bin/dockerd -H=tcp://127.0.0.1:2376 -Hunix:///var/run/docker.sock --tlsverify --tlscacert /etc/docker/ca.pem --tlscert=/etc/docker/server.pem --debug",
    ),
  );
  assert.deepEqual(found.words, ["/usr/bin/dockerd", "-Hunix:///var/run/docker.sock", "--debug"]);
  assert.ok(found.hasLocalSocket);
});

test("another TCP port, another certificate and another configuration file are refused by name", () => {
  assert.match(
    conflict(engineWith("/usr/bin/dockerd -H tcp://0.0.0.0:2375")),
    /"-H tcp:\/\/0\.0\.0\.0:2375" \(\/lib\/systemd\/system\/docker\.service\)/u,
  );
  assert.match(conflict(engineWith("/usr/bin/dockerd --tlscert=/my/cert.pem")), /--tlscert \/my\/cert\.pem/u);
  assert.match(conflict(engineWith("/usr/bin/dockerd --config-file /my/daemon.json")), /--config-file/u);
});

test("an engine that we open no port of may have its owner's ports and certificates, and no other configuration file", () => {
  const words = ["/usr/bin/dockerd", "-H", "tcp://0.0.0.0:2376", "--tlsverify", "--tlscert=/my/cert.pem"];
  const portless = (execStart: string): readonly string[] =>
    baseCommand(engineWith(execStart), undefined, "/etc/docker", "web").words;
  assert.deepEqual(portless(words.join(" ")), words);
  assert.throws(() => portless("/usr/bin/dockerd --config-file /my/daemon.json"), /--config-file/u);
});

test("a conflict hidden in a variable of the settings file is found", () => {
  const settings = [{ path: "/etc/default/docker", text: 'DOCKER_OPTS="--debug -H tcp://0.0.0.0:2375"\n' }];
  assert.match(conflict(engineWith("/usr/sbin/dockerd -H fd:// $DOCKER_OPTS", [], settings)), /tcp:\/\/0\.0\.0\.0:2375/u);
});

test("without a unit the program itself is the base; before 1.12 that was the client", () => {
  assert.deepEqual(base({ ...debianEngine, unitFiles: [] }).words, ["/usr/sbin/dockerd"]);
  assert.deepEqual(base({ ...debianEngine, unitFiles: [], dockerdPath: undefined, version: "1.11.2" }).words, [
    "/usr/bin/docker",
    "daemon",
  ]);
});

test("hosts can be taken out, for when daemon.json lists them", () => {
  assert.deepEqual(withoutHosts(["/d", "-H", "fd://", "--host=unix:///x", "-Htcp://a:1", "--debug"]), ["/d", "--debug"]);
});
