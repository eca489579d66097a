import assert from "node:assert/strict";
import { test } from "node:test";
import { engineFrom, factsFrom, RawFacts, versionIn } from "./parse-facts.ts";
import { parseScriptLine } from "../shell/script-protocol.ts";
import { LineSplitter } from "../../system/line-splitter.ts";

function raw(...lines: readonly (readonly [string, string])[]): RawFacts {
  const facts = new RawFacts();
  for (const [key, value] of lines) facts.add(key, value);
  return facts;
}

test("what was not said is unknown", () => {
  const facts = factsFrom(raw(), 0);
  assert.deepEqual(
    [facts.init, facts.cgroups, facts.packageManagers, facts.engine.dockerdPath, facts.engine.answer],
    ["none", "none", [], undefined, undefined],
  );
  assert.deepEqual(facts.privilege, { kind: "none", explanation: "neither sudo nor doas is installed" });
  assert.ok(facts.engine.fresh);
});

test("disks with blanks in their names are read", () => {
  const { disks } = factsFrom(raw(["disk", "/var //server/my share   1000000  900000  102400  90% /mnt/my disk"]), 0);
  assert.deepEqual(disks, [{ folder: "/var", device: "//server/my share", freeMiB: 100, mountPoint: "/mnt/my disk" }]);
});

test("versions are found in what programs print", () => {
  assert.equal(versionIn("Docker version 20.10.24+dfsg1, build 297e128"), "20.10.24");
  assert.equal(versionIn("Docker version 1.13.1, build 0be3e21/1.13.1"), "1.13.1");
  assert.equal(versionIn(undefined), undefined);
});

const info = JSON.stringify({
  ServerVersion: "27.3.1",
  Driver: "overlay2",
  DockerRootDir: "/data",
  LiveRestoreEnabled: true,
  Swarm: { LocalNodeState: "active" },
});

test("an engine that runs is understood", () => {
  const engine = engineFrom(
    raw(
      ["dockerd", "/usr/bin/dockerd"],
      ["unit", "LoadState=loaded"],
      ["unit", "ActiveState=active"],
      ["unit", "UnitFileState=enabled"],
      ["unit", "MainPID=42"],
      ["socket", "LoadState=loaded"],
      ["unit-path", "/lib/a.service"],
      ["unit-file:/lib/a.service", "[Service]"],
      ["unit-file:/lib/a.service", "ExecStart=/usr/bin/dockerd"],
      ["engine-info", info],
      ["container", `${"ab".repeat(32)} my/app:1 web`],
      ["container", "Cannot connect to the Docker daemon"],
    ),
  );
  assert.deepEqual(engine.answer, {
    serverVersion: "27.3.1",
    storageDriver: "overlay2",
    dataRoot: "/data",
    liveRestore: true,
    swarmActive: true,
    holdsData: true,
  });
  assert.deepEqual(engine.unitFiles, [{ path: "/lib/a.service", text: "[Service]\nExecStart=/usr/bin/dockerd\n" }]);
  assert.deepEqual(
    [engine.pid, engine.unitActive, engine.unitEnabled, engine.socketUnit, engine.fresh],
    [42, true, true, true, false],
  );
  assert.deepEqual(engine.containers, [{ id: "ab".repeat(32), image: "my/app:1", name: "web" }]);
});

test("an engine in use that has neither an image nor a container holds no data", () => {
  const held = (info: object): boolean | undefined =>
    engineFrom(raw(["engine-info", JSON.stringify({ ServerVersion: "27.3.1", ...info })])).answer?.holdsData;
  assert.deepEqual(
    [held({ Containers: 0, Images: 0 }), held({ Containers: 1, Images: 0 }), held({ Containers: 0, Images: 1 }), held({})],
    [false, true, true, true],
  );
});

test("an engine that answers nonsense does not answer", () => {
  for (const answer of ["", "<html>", '{"ServerVersion":""}', "null"])
    assert.equal(engineFrom(raw(["engine-info", answer])).answer, undefined);
});

test("the look as root has the last word over the one as the user", () => {
  assert.deepEqual(factsFrom(raw(["privilege", "sudo"], ["seen-as", "1000"], ["seen-as", "0"]), 0).seenAsRoot, true);
});

test("what was recorded on an adopted host comes back", () => {
  const { record } = factsFrom(
    raw(["record", "file-created\t/etc/a"], ["record", "package\tcurl"], ["record-altered", "/etc/a"]),
    0,
  );
  assert.deepEqual(record?.changes, [
    { kind: "file-created", what: "/etc/a" },
    { kind: "package", what: "curl" },
  ]);
  assert.ok(record?.altered.has("/etc/a"));
});

test("lines are cut wherever the stream was, in the middle of a character too", () => {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  const bytes = Buffer.from("@fact\tname\té\tü\r\nplain\nlast");
  for (const byte of bytes) splitter.push(Buffer.of(byte));
  splitter.end();
  assert.deepEqual(lines, ["@fact\tname\té\tü", "plain", "last"]);
  assert.deepEqual(parseScriptLine(lines[0] ?? ""), { kind: "fact", key: "name", value: "é\tü" });
  assert.deepEqual(parseScriptLine("@media\tx\ty"), { kind: "output", text: "@media\tx\ty" });
});
