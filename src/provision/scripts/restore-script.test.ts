/** What a restore puts back, takes away and leaves, from what is recorded on a host and what others did since. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { debianEngine, hostFacts } from "../../../test/support/host-facts.ts";
import type { HostRecordFacts } from "../facts/facts.ts";
import { ownRecords, planRestore, type RestorePlan } from "./restore-script.ts";

const dropIn = "/etc/systemd/system/docker.service.d/10-machine.conf";
const laterDropIn = "/etc/systemd/system/docker.service.d/zz-machine.conf";
const certificates = ["/etc/docker/ca.pem", "/etc/docker/server.pem", "/etc/docker/server-key.pem"];

/** As 0.16.2's template prints it. */
const former = `[Service]
ExecStart=
ExecStart=/usr/bin/dockerd -H tcp://0.0.0.0:2376 -H unix:///var/run/docker.sock --storage-driver overlay2 --tlsverify --tlscacert /etc/docker/ca.pem --tlscert /etc/docker/server.pem --tlskey /etc/docker/server-key.pem --label provider=generic 
Environment=
`;
const edited = "[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd -H fd:// -H tcp://0.0.0.0:2376 --tlsverify --icc=false\n";

function restored(
  record: Partial<HostRecordFacts>,
  dropIns: Readonly<Record<string, string>> = {},
  ownerPackage = "docker.io",
): RestorePlan {
  const unitFiles = [...debianEngine.unitFiles, ...Object.entries(dropIns).map(([path, text]) => ({ path, text }))];
  const facts = hostFacts({ engine: { ...debianEngine, ownerPackage, unitFiles } });
  return planRestore(facts, { changes: [], altered: new Set(), owners: [], below: [], ...record });
}

const created = (...paths: readonly string[]) => paths.map((what) => ({ kind: "file-created", what }));

test("what someone changed since is left, but a drop-in of ours is not: no engine starts with it once our certificates are gone", () => {
  const plan = restored(
    { changes: created(dropIn, ...certificates), altered: new Set([dropIn, "/etc/docker/ca.pem"]) },
    { [dropIn]: edited },
  );
  assert.deepEqual(plan.left, ["/etc/docker/ca.pem"]);
  assert.deepEqual([plan.remove.includes(dropIn), plan.edited], [true, [dropIn]]);
});

test("what 0.16.2 wrote over ours is ours", () => {
  const plan = restored(
    { changes: created(dropIn, ...certificates), altered: new Set([dropIn, ...certificates]) },
    { [dropIn]: former },
  );
  assert.deepEqual([plan.remove, plan.left, plan.edited], [[dropIn, ...certificates], [], []]);
});

test("0.16.2's drop-in beside ours goes too", () => {
  const plan = restored(
    { changes: created(laterDropIn, ...certificates), altered: new Set(certificates) },
    { [dropIn]: former, [laterDropIn]: edited },
  );
  assert.deepEqual([plan.remove, plan.left], [[laterDropIn, ...certificates, dropIn], []]);
});

test("a drop-in of ours that only looks like 0.16.2's makes no one's certificates ours", () => {
  const plan = restored(
    { changes: created(dropIn, ...certificates), altered: new Set(["/etc/docker/ca.pem"]) },
    { [dropIn]: former },
  );
  assert.deepEqual(plan.left, ["/etc/docker/ca.pem"]);
});

test("the engine goes with packages of ours, and not for a package that came with its upgrade", () => {
  const changes = [{ kind: "package", what: "docker-ce-model-plugin" }];
  assert.equal(restored({ changes }, {}, "docker-ce").engine, "restarts");
  assert.equal(restored({ changes: [...changes, { kind: "package", what: "docker-ce" }] }, {}, "docker-ce").engine, "goes");
});

test("an installation that failed left no engine that could be started again", () => {
  const facts = hostFacts();
  const record = { changes: created("/etc/apt/keyrings/docker.asc"), altered: new Set<string>(), owners: [], below: [] };
  assert.equal(planRestore(facts, record).engine, "left");
});

test("packages that made room come back, in the versions they had", () => {
  const plan = restored({ changes: [{ kind: "package-gone", what: "podman-docker 4.3.1" }] });
  assert.deepEqual(plan.bringBack, ["podman-docker 4.3.1"]);
});

test("records are told apart by their owners; without a name they belong to whose certificates are there", () => {
  const record: HostRecordFacts = {
    changes: [],
    altered: new Set(),
    owners: ["bob"],
    below: [
      { number: 1, owners: [] },
      { number: 2, owners: ["alice", "alice-anew"] },
    ],
  };
  assert.deepEqual(ownRecords(record, ["bob"], false), { isNewest: true, below: [] });
  assert.deepEqual(ownRecords(record, ["alice-anew"], false), { isNewest: false, below: [2] });
  assert.deepEqual(ownRecords(record, ["carol"], true), { isNewest: false, below: [1] });
  assert.deepEqual(ownRecords(record, [], false), { isNewest: true, below: [] });
});
