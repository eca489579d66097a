import assert from "node:assert/strict";
import { globSync, readFileSync, statSync } from "node:fs";
import { describe, it } from "node:test";
import { debianEngine, hostFacts, provisionRequest } from "../../../test/support/host-facts.ts";
import { FleetScene } from "../../../test/support/fleet-scene.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { detectFamily } from "../../provision/families/detect-family.ts";
import type { HostFacts } from "../../provision/facts/facts.ts";
import type { Examination } from "../../provision/host/examine-host.ts";
import { planProvision, type Plan } from "../../provision/plan/plan.ts";
import { FakeSshExecutor } from "../../testing/fake-ssh-executor.ts";
import { never } from "../../testing/scene.ts";
import { standing, withDrift } from "../plan/plan.ts";
import { ignoring, reportOf, type DriftReport } from "./drift.ts";
import { hostDifferences, type Wanted } from "./host-differences.ts";
import { lookForDrift } from "./look.ts";
import { openForLook, readOnlyContext } from "./read-only.ts";

const two = "  web-[1-2]: {fake-size: small}";

async function look(scene: FleetScene, machines = two): Promise<DriftReport[]> {
  const names = standing(await scene.plan(machines)).map(({ name }) => name);
  return await lookForDrift(scene.site, names, never);
}

function keys({ differences }: DriftReport): string[] {
  return differences.map(({ key, expected, found, repair }) => `${key}: ${found}, not ${expected} (${repair ?? "-"})`);
}

describe("a look for drift", () => {
  it("finds nothing on machines that are as recorded, and what is otherwise at the provider", async () => {
    const scene = new FleetScene();
    await scene.applied(two);
    assert.deepEqual(
      (await look(scene)).map(({ name, state }) => `${name} ${state}`),
      ["web-1 as-recorded", "web-2 as-recorded"],
    );
    const [first, second] = scene.world.instances;
    assert.ok(first !== undefined && second !== undefined);
    first.state = "Stopped";
    second.address = "192.0.2.77";
    const recorded = (await scene.config("web-2"))["IPAddress"];
    const seen = await look(scene);
    const byName = new Map(seen.map((report) => [report.name, keys(report)]));
    const [stopped, moved] = (await scene.config("web-1"))["InstanceId"] === first.id ? ["web-1", "web-2"] : ["web-2", "web-1"];
    assert.deepEqual(byName.get(stopped), ["state: Stopped, not Running (start)"]);
    assert.match(String(byName.get(moved)), /^address: 192\.0\.2\.77, not 192\.0\.2\.\d \(provision\)$/u);
    assert.equal((await scene.config("web-2"))["IPAddress"], recorded);
    scene.world.instances.length = 0;
    assert.deepEqual((await look(scene)).flatMap(keys), ["instance: gone, not there (-)", "instance: gone, not there (-)"]);
  });

  it("calls unknown what it could not look at", async () => {
    const scene = new FleetScene();
    await scene.applied(two);
    scene.fail("getState", new MachineError("provider-unreachable", "no answer"));
    assert.deepEqual(
      (await look(scene)).map(({ state, reason }) => [state, reason]),
      [
        ["unknown", "no answer"],
        ["unknown", "no answer"],
      ],
    );
  });

  it("changes nothing in the store", async () => {
    const scene = new FleetScene();
    await scene.applied(two);
    const all = (): string[] =>
      globSync(`${scene.folder}/**/*`, { withFileTypes: false })
        .filter((file) => statSync(file).isFile())
        .map((file) => `${file} ${statSync(file).mtimeMs} ${readFileSync(file, "utf8")}`)
        .toSorted();
    const before = all();
    const [instance] = scene.world.instances;
    if (instance !== undefined) instance.address = "192.0.2.78";
    await look(scene);
    assert.deepEqual(all(), before);
  });

  it("cannot change anything: its store neither writes nor locks, and its connection runs the one script", async () => {
    const scene = new FleetScene();
    await scene.applied(two);
    const reading = readOnlyContext(scene.context);
    const record = await reading.store.load("web-1");
    const request = { purpose: "x", waitMs: 0 };
    for (const change of [
      reading.store.save(record),
      reading.store.create(record),
      reading.store.remove("web-1"),
      reading.store.rename("web-1", "x"),
      reading.store.bury("web-1", "x"),
      reading.store.publish("web-1"),
      reading.store.sweep(),
      reading.store.lockMachine("web-1", request),
      reading.store.lockFleet("shop", request),
      reading.store.lockCertificates(request),
      reading.store.buried.save(record),
    ])
      await assert.rejects(change, /A look for drift changes nothing/u);
    const hostKeys = { knownHostsFile: "/nowhere", alias: "web-1", unknown: "trust-first-use" } as const;
    const target = { hostName: "h", port: 22, userName: "u", hostKeys, connectTimeoutMs: 1 };
    const asked: string[] = [];
    const open = async (given: typeof target) => {
      asked.push(given.hostKeys.unknown);
      return await Promise.resolve(new FakeSshExecutor());
    };
    const context = { ...scene.context, openSsh: open as typeof scene.context.openSsh };
    const ssh = await openForLook(context, target, "\n\n#begin\nprobe\n#end\n");
    await ssh.run("sh", { stdin: "\n\n#begin\nprobe\n#end\n" });
    await ssh.run("sudo -S sh", { stdin: "password\n\n#begin\nprobe\n#end\n" });
    for (const stdin of [undefined, "", "reboot", "\n\n#begin\nprobe\nreboot\n#end\n", "a\nb\n\n#begin\nprobe\n#end\n"])
      await assert.rejects(ssh.run("sh", { stdin }), /runs nothing else/u);
    await assert.rejects(ssh.session({ command: undefined, terminal: "no" }), /no session/u);
    const quiet = await readOnlyContext(context).openSsh(target, () => {});
    await assert.rejects(quiet.run("true"), /runs nothing else/u);
    assert.deepEqual(asked, ["refuse", "refuse"]);
  });

  it("is put right by apply where that can be, and not where somebody has to decide", async () => {
    const scene = new FleetScene();
    await scene.applied(two);
    for (const instance of scene.world.instances) instance.state = "Stopped";
    const plan = withDrift(await scene.plan(two), await look(scene));
    await scene.applyPlan(plan);
    assert.deepEqual(
      scene.world.instances.map(({ state }) => state),
      ["Running", "Running"],
    );
    assert.deepEqual(
      (await look(scene)).map(({ state }) => state),
      ["as-recorded", "as-recorded"],
    );
    scene.world.instances.length = 0;
    assert.deepEqual(await scene.applyPlan(withDrift(await scene.plan(two), await look(scene))), []);
    assert.deepEqual(scene.world.instances, []);
  });

  it("passes over what it is told to", () => {
    const difference = { expected: "", found: "", repair: undefined };
    const report = reportOf("a", [
      { key: "/etc/x", ...difference },
      { key: "/etc/y", ...difference },
      { key: "firewall", ...difference },
    ]);
    assert.deepEqual(
      ignoring(report, ["/etc/*"]).differences.map(({ key }) => key),
      ["firewall"],
    );
    assert.equal(ignoring(report, ["/etc/*", "firewall"]).state, "as-recorded");
    assert.equal(ignoring(report, ["/etc"]).differences.length, 3);
  });
});

describe("a host that is not as provisioned", () => {
  const facts = hostFacts({ engine: debianEngine, seenAsRoot: true });
  const request = provisionRequest();
  const planned = planProvision(facts, detectFamily(facts), request);
  const settled: Plan = {
    ...planned,
    files: planned.files.map((file) => ({ ...file, change: "same" as const })),
    removals: [],
    firewall: [],
    enable: false,
    hostName: undefined,
    lifetime: undefined,
  };
  const wanted: Wanted = { engineVersion: undefined, certificate: "serves" };
  const health = { lifetimeStopped: false } as Examination["health"];
  const find = (
    plan: Examination["plan"],
    change: Partial<Wanted> = {},
    seen: HostFacts = facts,
    more: Partial<Examination["health"]> = {},
  ): string[] =>
    keys(reportOf("a", hostDifferences({ facts: seen, plan, health: { ...health, ...more } }, { ...wanted, ...change })));

  it("is told by what provisioning would change", () => {
    assert.deepEqual(find(settled), []);
    const [file] = settled.files;
    assert.ok(file !== undefined);
    assert.deepEqual(find({ ...settled, files: [{ ...file, path: "/etc/docker/daemon.json", change: "replace" }] }), [
      "/etc/docker/daemon.json: changed, not as provisioned (provision)",
    ]);
    assert.deepEqual(find({ ...settled, files: [{ ...file, path: "/x", change: "create" }], removals: ["/y"] }), [
      "/x: missing, not as provisioned (provision)",
      "/y: there, not none (provision)",
    ]);
    assert.deepEqual(find({ ...settled, hostName: "web-1", enable: true }), [
      "engine-at-boot: off, not on (provision)",
      `host-name: ${facts.hostName}, not web-1 (provision)`,
    ]);
  });

  it("may have another engine than was asked for, or none that runs", () => {
    assert.deepEqual(find(settled, { engineVersion: "20.10" }), []);
    assert.deepEqual(find(settled, { engineVersion: "5:20.10.24+dfsg1-1" }), []);
    assert.deepEqual(find(settled, { engineVersion: "20.1" }), ["engine-version: 20.10.24+dfsg1, not 20.1 (upgrade)"]);
    const stopped = hostFacts({ engine: { ...debianEngine, unitActive: false }, seenAsRoot: true });
    assert.deepEqual(find(settled, {}, stopped), ["engine: stopped, not running (provision)"]);
    assert.deepEqual(find(new MachineError("engine-config-conflict", "Docker is a snap there")), [
      "host: Docker is a snap there, not as provisioned (-)",
    ]);
  });

  it("may have another certificate than is here, and one here that does not serve", () => {
    const [file] = settled.files;
    assert.ok(file !== undefined);
    const pem: Plan = { ...settled, files: [{ ...file, path: "/etc/docker/server.pem", change: "replace" }] };
    assert.deepEqual(find(pem), ["/etc/docker/server.pem: changed, not as provisioned (provision)"]);
    assert.deepEqual(find(pem, { certificate: "must-be-renewed" }), [
      "certificate: ending, or for others, not valid for the machine (provision)",
    ]);
    assert.deepEqual(find(pem, { certificate: undefined }), []);
  });

  it("may have left its swarm, or be another node of it; of a swarm that nobody here made, nothing is told", () => {
    const told = (swarmRole: Wanted["swarmRole"], state: string, isManager = false, error = ""): string[] =>
      find(settled, { swarmRole }, facts, { swarm: { state, error, address: "", isManager } });
    assert.deepEqual(told("manager", "active", true), []);
    assert.deepEqual(told("worker", "inactive"), ["swarm: in no swarm, not worker (swarm)"]);
    assert.deepEqual(told("manager", "active"), ["swarm: worker, not manager (swarm)"]);
    assert.deepEqual(told("worker", "active", true), ["swarm: manager, not worker (swarm)"]);
    assert.deepEqual(told("manager", "locked", true), ["swarm: locked, not manager (-)"]);
    assert.deepEqual(told("worker", "error", false, "removed"), ["swarm: error: removed, not worker (-)"]);
    assert.deepEqual(told(undefined, "active", true), []);
    assert.deepEqual(find(settled, { swarmRole: "worker" }), []);
  });

  it("tells what was changed by hand since", () => {
    const record = {
      changes: [],
      altered: new Set(["/etc/systemd/system/docker.service.d/10-machine.conf", "/etc/docker/daemon.json"]),
      owners: [],
      below: [],
    };
    assert.deepEqual(find(settled, {}, { ...facts, record }), [
      "/etc/systemd/system/docker.service.d/10-machine.conf: changed by hand, not as provisioned (provision)",
    ]);
  });
});
