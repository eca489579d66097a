/** Packages that are someone's own: named before they would go, kept unless they are given away, and brought back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPlan } from "../../src/provision/plan/format-plan.ts";
import { planHost, provisionHost, restoreHost } from "../../src/provision/provision.ts";
import { labUnavailableReason, openLab } from "../lab/lab.ts";
import { failureOf } from "../support/failure.ts";
import { changedFiles, takeSnapshot, withoutFiles, type HostSnapshot } from "./host-snapshot.ts";
import { openLabMachine } from "./lab-machine.ts";

const skip = (await labUnavailableReason()) ?? false;

/** Podman's service begins when its socket is used, and ends seconds after that. */
function lasting(snapshot: HostSnapshot): object {
  return { ...withoutFiles(snapshot), units: snapshot.units.filter((unit) => unit !== "podman.service") };
}

test("podman-docker stays until its owner gives it away, and comes back", { skip }, async (t) => {
  await using lab = await openLab();
  await using host = await lab.start("podman");
  await using machine = await openLabMachine(host);
  const before = await takeSnapshot(host);
  const engine = { source: "distro" } as const;

  await t.test("the plan names it, and the owner's refusal is the default; nothing is changed", async () => {
    const plan = formatPlan(await planHost(machine.request({ engine }), machine.context));
    assert.match(plan, /^ {2}package {3}podman-docker 4\.3\.1\S+ is removed - not without --engine-allow-removal$/mu);
    const error = await failureOf(provisionHost(machine.request({ engine }), machine.context));
    assert.equal(error.code, "package-removal");
    assert.match(error.message, /^Installing the engine would remove packages that are on web: podman-docker 4\.3\.1/u);
    const after = await takeSnapshot(host);
    assert.deepEqual([changedFiles(before, after), lasting(after)], [[], lasting(before)]);
  });

  await t.test("given away, it goes, and what went is said", async () => {
    const outcome = await provisionHost(machine.request({ engine: { ...engine, allowRemoval: true } }), machine.context);
    assert.equal(await machine.ask("/_ping"), "OK");
    assert.match(outcome.removedPackages.join(), /^podman-docker 4\.3\.1/u);
    assert.match(machine.said("warn").join("\n"), /Removed from web to make room for the engine: podman-docker 4\.3\.1/u);
  });

  await t.test("restored, it is there again, with every file of its owner", async () => {
    await restoreHost(machine.request(), machine.context);
    const after = await takeSnapshot(host);
    assert.deepEqual(withoutFiles(after).packages, withoutFiles(before).packages);
    assert.equal(await host.sh("cat /etc/containerd/config.toml"), "# mine");
    const gone = [...before.files.keys()].filter((path) => !after.files.has(path));
    assert.deepEqual(gone, []);
  });
});

test("containerd and runc under a node: Docker's packages would take them, Debian's engine does not", { skip }, async (t) => {
  await using lab = await openLab();
  await using repository = await lab.serveDockerRepository();
  await using host = await lab.start("containerd");
  await using machine = await openLabMachine(host);
  const before = await takeSnapshot(host);
  assert.ok(before.units.includes("containerd.service"));
  const mirror = { packageMirror: repository.url, packageKeys: [repository.keyFingerprint] };

  await t.test("the refusal names them and the way that takes nothing away", async () => {
    const error = await failureOf(provisionHost(machine.request({ engine: mirror }), machine.context));
    assert.equal(error.code, "package-removal");
    assert.match(error.message, /containerd 1\.6\.20\S+, runc 1\.1\.5|runc 1\.1\.5\S+, containerd 1\.6\.20/u);
    assert.match(error.hint ?? "", /^--engine-source distro takes nothing away\./u);
    assert.deepEqual(changedFiles(before, await takeSnapshot(host)), []);
  });

  await t.test("taken away and given back, containerd is at work again as it was", async () => {
    const engine = { ...mirror, source: "docker", allowRemoval: true } as const;
    const trips = machine.ssh.roundTrips;
    await provisionHost(machine.request({ engine }), machine.context);
    assert.ok(machine.ssh.roundTrips - trips <= 5, String(machine.ssh.roundTrips - trips));
    assert.equal(await machine.ask("/_ping"), "OK");
    await restoreHost(machine.request(), machine.context);
    const after = await takeSnapshot(host);
    assert.deepEqual([withoutFiles(after).packages, after.units], [withoutFiles(before).packages, before.units]);
    assert.match(await host.sh("cat /etc/containerd/config.toml"), /# mine$/u);
  });

  await t.test("Debian's engine comes and goes beside them", async () => {
    await provisionHost(machine.request({ engine: { source: "distro" } }), machine.context);
    assert.equal(await machine.ask("/_ping"), "OK");
    await restoreHost(machine.request(), machine.context);
    const after = await takeSnapshot(host);
    assert.deepEqual([withoutFiles(after).packages, after.units], [withoutFiles(before).packages, before.units]);
  });
});

test("on a machine of our own what is in the way goes, and is named", { skip }, async () => {
  await using lab = await openLab();
  await using host = await lab.start("podman");
  await using machine = await openLabMachine(host);
  const request = machine.request({ adopted: false, driverName: "amazonec2", engine: { source: "distro" } });
  const outcome = await provisionHost(request, machine.context);
  assert.match(outcome.removedPackages.join(), /^podman-docker 4\.3\.1/u);
  assert.match(machine.said("warn").join("\n"), /Removed from web to make room for the engine: podman-docker/u);
});
