/** A host that works for someone: provisioning changes what it announced, stops no container, and can be undone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPlan } from "../../src/provision/plan/format-plan.ts";
import type { ProvisionOutcome } from "../../src/provision/provision-context.ts";
import type { ProvisionRequest } from "../../src/provision/provision-request.ts";
import { planHost, provisionHost, replaceServerCertificate, restoreHost } from "../../src/provision/provision.ts";
import { labUnavailableReason, openLab, type LabHost } from "../lab/lab.ts";
import { failureOf } from "../support/failure.ts";
import { changedFiles, takeSnapshot, withoutFiles } from "./host-snapshot.ts";
import { openLabMachine } from "./lab-machine.ts";

const skip = (await labUnavailableReason()) ?? false;

const ownFolder = "/var/lib/docker-machine/";
const awkwardLabels = ["plain=1", 'a=$x `y` "q" %h it\'s; back\\slash', "blanks=a  b", "unicode=é✓"];
const awkwardEnv = ['FOO=a b$c"d\\e%f', "HTTP_PROXY=http://user:p%40ss@proxy:1", 'SPLUNK_TOKEN=a b$c"d\\e%f`g`'];

async function count(host: LabHost): Promise<number> {
  return Number(await host.sh("docker exec counter cat /count"));
}

test("a busy host: announced, changed, kept running, renewed, and given back", { skip }, async (t) => {
  await using lab = await openLab();
  await using host = await lab.start("busy");
  await using machine = await openLabMachine(host);
  const before = await takeSnapshot(host);
  const request = machine.request({ engine: { labels: awkwardLabels, env: awkwardEnv, options: ["log-opt=max-size=10m"] } });
  let outcome: ProvisionOutcome;

  await t.test("a dry run changes nothing", async () => {
    const plan = await planHost(request, machine.context);
    assert.match(formatPlan(plan), /1 container runs: they keep running/u);
    const after = await takeSnapshot(host);
    assert.deepEqual([changedFiles(before, after), withoutFiles(after)], [[], withoutFiles(before)]);
  });

  await t.test("what changes is what was announced", async () => {
    const trips = machine.ssh.roundTrips;
    outcome = await provisionHost(request, machine.context);
    assert.equal(machine.ssh.roundTrips - trips, 2);
    const after = await takeSnapshot(host);
    const announced = [
      ...outcome.plan.files.filter((file) => file.change !== "same").map((file) => file.path),
      ...outcome.plan.removals,
    ].toSorted();
    assert.deepEqual(
      changedFiles(before, after).filter((path) => !path.startsWith(ownFolder)),
      announced,
    );
    assert.deepEqual(outcome.changedFiles.toSorted(), announced);
    assert.deepEqual(withoutFiles(after), withoutFiles(before));
    assert.equal(after.containers.length, 1);
  });

  await t.test("the engine is told every value unchanged", async () => {
    const info = JSON.parse(await machine.ask("/info")) as { Labels: string[] };
    assert.deepEqual(info.Labels.toSorted(), ["provider=generic", ...awkwardLabels].toSorted());
    const environment = await host.sh("tr '\\0' '\\n' < /proc/$(cat /run/docker.pid)/environ");
    for (const assignment of awkwardEnv) assert.ok(environment.split("\n").includes(assignment), assignment);
    assert.equal(outcome.engineVersion, "20.10.24+dfsg1");
  });

  await t.test("the key is root's alone, and live-restore is off again", async () => {
    assert.equal(await host.sh("stat -c '%a %U' /etc/docker/server-key.pem"), "600 root");
    assert.equal(
      await host.sh("docker info -f '{{.LiveRestoreEnabled}}'; ls /etc/docker/daemon.json 2> /dev/null || true"),
      "false",
    );
  });

  await t.test("a second run touches nothing, the engine's process least of all", async () => {
    const pid = await host.sh("cat /run/docker.pid");
    const again = await provisionHost(request, machine.context);
    assert.deepEqual([again.changedFiles, again.plan.restart], [[], false]);
    assert.equal(await host.sh("cat /run/docker.pid"), pid);
  });

  await t.test("a new certificate stops no container", async () => {
    const { serverCertificate, serverKey } = await machine.renewed();
    const renewed: ProvisionRequest = { ...request, serverCertificate, serverKey };
    const counted = await count(host);
    const replaced = await replaceServerCertificate(renewed, machine.context);
    assert.deepEqual(replaced.changedFiles, ["/etc/docker/server.pem", "/etc/docker/server-key.pem"]);
    assert.equal(await machine.ask("/_ping"), "OK");
    assert.deepEqual((await takeSnapshot(host)).containers, before.containers);
    assert.ok((await count(host)) > counted);
  });

  await t.test("what is undone is everything", async () => {
    const restored = await restoreHost(request, machine.context);
    assert.deepEqual(restored.plan.left, []);
    const after = await takeSnapshot(host);
    assert.deepEqual([changedFiles(before, after), withoutFiles(after)], [[], withoutFiles(before)]);
    assert.equal(await machine.ask("/_ping"), "ECONNREFUSED");
    await assert.rejects(restoreHost(request, machine.context), /Nothing is recorded on web/u);
  });
});

test("what its owner wrote is kept: daemon.json, an override, a file changed since", { skip }, async () => {
  await using lab = await openLab();
  await using host = await lab.start("bookworm-engine");
  await using machine = await openLabMachine(host);
  await host.sh(`
    mkdir -p /etc/systemd/system/docker.service.d
    printf '[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd --containerd=/run/containerd/containerd.sock --icc=true\n' > /etc/systemd/system/docker.service.d/override.conf
    printf '{\n    "hosts": ["fd://"],\n    "labels": ["owner=them"]\n}\n' > /etc/docker/daemon.json
    systemctl daemon-reload
    systemctl restart docker`);
  const before = await takeSnapshot(host);
  const { plan } = await provisionHost(machine.request(), machine.context);
  assert.ok(
    plan.files.some((file) => file.path.endsWith("/zz-machine.conf")),
    "ours comes after theirs",
  );
  const info = JSON.parse(await machine.ask("/info")) as { Labels: string[] };
  assert.deepEqual(info.Labels.toSorted(), ["owner=them", "provider=generic"]);
  assert.match(await host.sh("tr '\\0' ' ' < /proc/$(cat /run/docker.pid)/cmdline"), /--icc=true/u);
  await host.sh("echo changed-since >> /etc/docker/ca.pem");
  const restored = await restoreHost(machine.request(), machine.context);
  assert.deepEqual(restored.plan.left, ["/etc/docker/ca.pem"]);
  assert.deepEqual(changedFiles(before, await takeSnapshot(host)), ["/etc/docker/ca.pem"]);
  assert.match(machine.said("warn").join("\n"), /ca\.pem on web was changed by someone else since/u);
});

test("a drop-in of ours that its owner edited: said before it is replaced, and the text is kept", { skip }, async () => {
  await using lab = await openLab();
  await using host = await lab.start("bookworm-engine");
  await using machine = await openLabMachine(host);
  const dropIn = "/etc/systemd/system/docker.service.d/10-machine.conf";
  await provisionHost(machine.request(), machine.context);
  await host.sh(`echo '# my own line' >> ${dropIn}; systemctl daemon-reload`);
  const plan = formatPlan(await planHost(machine.request(), machine.context));
  assert.match(plan, /^ {2}copy {6}\S+10-machine\.conf, which was edited by hand since, to \S+10-machine\.conf\.edited$/mu);
  await provisionHost(machine.request(), machine.context);
  assert.match(machine.said("warn").join("\n"), /10-machine\.conf on web was edited by hand since and is replaced/u);
  assert.match(await host.sh(`cat ${dropIn}.edited`), /# my own line$/u);
  assert.equal(await host.sh(`grep -c 'my own line' ${dropIn} || true`), "0");
  assert.deepEqual((await provisionHost(machine.request(), machine.context)).changedFiles, []);
});

test(
  "an engine that just came takes the storage driver that is asked for; one with an image keeps its own",
  { skip },
  async () => {
    await using lab = await openLab();
    await using host = await lab.start("bookworm-engine");
    await using machine = await openLabMachine(host);
    const asked = (storageDriver: string): ProvisionRequest => machine.request({ engine: { storageDriver } });
    assert.equal(await host.sh("docker info -f '{{.Driver}} {{.Images}}'"), "overlay2 0");
    await provisionHost(asked("vfs"), machine.context);
    assert.equal(await host.sh("docker info -f '{{.Driver}}'"), "vfs");
    await host.sh("docker import /usr/local/share/lab/tiny.tar tiny");
    await assert.rejects(
      provisionHost(asked("overlay2"), machine.context),
      /keeps its data with the storage driver vfs, not overlay2/u,
    );
  },
);

test("what 0.16.2 wrote over our set-up goes with it, and the engine is what it was", { skip }, async () => {
  await using lab = await openLab();
  await using host = await lab.start("busy");
  await using machine = await openLabMachine(host);
  const before = await takeSnapshot(host);
  await provisionHost(machine.request(), machine.context);
  // Its template, with the program's place on Debian of then: the engine that runs goes on, and would not start again.
  await host.sh(`
    printf '[Service]\nExecStart=\nExecStart=/usr/bin/dockerd -H tcp://0.0.0.0:2376 -H unix:///var/run/docker.sock --storage-driver overlay2 --tlsverify --tlscacert /etc/docker/ca.pem --tlscert /etc/docker/server.pem --tlskey /etc/docker/server-key.pem --label provider=generic \nEnvironment=\n' > /etc/systemd/system/docker.service.d/10-machine.conf
    for file in ca server server-key; do echo '# 0.16.2' >> /etc/docker/$file.pem; done
    systemctl daemon-reload`);
  await restoreHost(machine.request(), machine.context);
  const after = await takeSnapshot(host);
  assert.deepEqual([changedFiles(before, after), withoutFiles(after)], [[], withoutFiles(before)]);
});

test("a unit that cannot start is told before anything is restarted, and the containers go on", { skip }, async () => {
  await using lab = await openLab();
  await using host = await lab.start("busy");
  await using machine = await openLabMachine(host);
  await provisionHost(machine.request(), machine.context);
  const before = await takeSnapshot(host);
  await host.sh(`
    printf '[Service]\nExecStart=\nExecStart=/opt/none/dockerd -H fd://\n' > /etc/systemd/system/docker.service.d/override.conf
    systemctl daemon-reload`);
  const error = await failureOf(restoreHost(machine.request(), machine.context));
  assert.deepEqual(
    [error.code, error.message],
    ["engine-config-conflict", "The engine on web would not start: docker.service starts /opt/none/dockerd, which is not there"],
  );
  await host.sh("rm /etc/systemd/system/docker.service.d/override.conf; systemctl daemon-reload");
  const after = await takeSnapshot(host);
  const changed = changedFiles(before, after).filter((path) => !path.startsWith(ownFolder));
  assert.deepEqual([changed, withoutFiles(after)], [[], withoutFiles(before)]);
  assert.equal(await machine.ask("/_ping"), "OK");
  await restoreHost(machine.request(), machine.context);
});

for (const variant of ["bullseye-engine", "trixie-engine"] as const) {
  test(`${variant}: the engine that is there answers with our certificate`, { skip }, async () => {
    await using lab = await openLab();
    await using host = await lab.start(variant);
    await using machine = await openLabMachine(host);
    await provisionHost(machine.request(), machine.context);
    assert.equal(await machine.ask("/_ping"), "OK");
    assert.deepEqual((await provisionHost(machine.request(), machine.context)).changedFiles, []);
  });
}
