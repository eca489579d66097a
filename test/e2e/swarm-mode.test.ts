/**
 * Swarm mode on three real hosts: formed, grown, its tokens of no use afterwards, its leader gone while a service goes on,
 * what would cost its majority refused. This kernel has no IPVS: the service is published at the hosts themselves, and the
 * routing mesh is not run.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { assemble } from "../../src/assembly/assemble.ts";
import type { ProgressEvent } from "../../src/log/event.ts";
import { formSwarm } from "../../src/machine/swarm/form-swarm.ts";
import { leaveSwarm } from "../../src/machine/swarm/leave-swarm.ts";
import { recordedMemberships, swarmMembersOf } from "../../src/machine/swarm/swarm-members.ts";
import { thisComputer } from "../../src/system/computer.ts";
import { labUnavailableReason, openLab, type LabHost } from "../lab/lab.ts";
import { waitUntil } from "../lab/wait.ts";
import { failureOf } from "../support/failure.ts";
import { genericFlags } from "./generic-flags.ts";
import { Program } from "./program.ts";

const skip = (await labUnavailableReason()) ?? false;

test("a swarm is formed, grows, loses its leader and ends", { skip }, async (t) => {
  await using lab = await openLab();
  await using one = await lab.start("ufw");
  await using two = await lab.start("bookworm-engine", {
    prepare: `mkdir -p /etc/docker; echo '{"live-restore": true}' > /etc/docker/daemon.json`,
  });
  await using three = await lab.start("bookworm-engine");
  const hosts = [one, two, three];
  await using program = await Program.open();
  await program.ok(["create", "--driver", "generic", ...genericFlags(...hosts), "s-1", "s-2", "s-3"]);
  for (const host of hosts) await host.sh("docker import /usr/local/share/lab/tiny.tar tiny");
  const events: ProgressEvent[] = [];
  const context = assemble({
    computer: { ...thisComputer(), env: program.environment(), homeDir: `${program.folder}/home` },
    storePath: program.store,
    reportFor: () => (event) => void events.push(event),
  });
  const members = swarmMembersOf(context, new AbortController().signal);
  const tokenOf = async (host: LabHost, role: string): Promise<string> => await host.sh(`docker swarm join-token -q ${role}`);

  await t.test("it is formed by private addresses, through a firewall and without live-restore, and serves", async () => {
    await formSwarm(members, { name: "prod", managers: ["s-1"], workers: ["s-2"] });
    assert.match(await one.sh("ufw status"), /^2377\/tcp +ALLOW[^]*^7946\/udp +ALLOW[^]*^4789\/udp +ALLOW/mu);
    assert.equal(await two.sh("docker info -f '{{.LiveRestoreEnabled}}'"), "false");
    assert.match(JSON.stringify(events), /excludes live-restore, which goes off/u);
    assert.equal(await one.sh("docker info -f '{{.Swarm.NodeAddr}} {{.Swarm.Nodes}}'"), `${one.address} 2`);
    await one.sh(
      "docker service create -d -q --name web --replicas 2 --no-resolve-image --endpoint-mode dnsrr --publish mode=host,target=80,published=8080 tiny sleep 1000",
    );
    await untilServed(one, 2);
  });

  await t.test("it grows, roles change, and tokens that were read let nobody in any more", async () => {
    const before = [await tokenOf(one, "manager"), await tokenOf(one, "worker")];
    await formSwarm(members, { name: "prod", managers: ["s-1", "s-2", "s-3"], workers: [] });
    assert.equal((await one.sh("docker node ls -q -f role=manager")).split("\n").length, 3);
    for (const token of before) assert.ok(![await tokenOf(one, "manager"), await tokenOf(one, "worker")].includes(token));
    assert.ok(!JSON.stringify(events).includes("SWMTKN"));
    assert.equal((await recordedMemberships(context)).get("s-2")?.role, "manager");
    const version = "docker node inspect -f '{{.Version.Index}}' $(docker node ls -q)";
    const settled = await one.sh(version);
    await formSwarm(members, { name: "prod", managers: ["s-1", "s-2", "s-3"], workers: [] });
    assert.equal(await one.sh(version), settled, "what is as wanted was changed");
  });

  await t.test("what would cost the majority is refused", async () => {
    await three.sh("systemctl stop docker.socket docker.service");
    const manager = async (): Promise<true | undefined> =>
      (await one.sh("docker node ls --format '{{.ManagerStatus}}'")).includes("Unreachable") || undefined;
    await waitUntil("the swarm to miss s-3", 60_000, manager);
    assert.equal((await failureOf(leaveSwarm(members, "s-2", ["s-1", "s-3"]))).code, "swarm-majority");
    await three.sh("systemctl start docker.service");
    await waitUntil("s-3 to be back", 60_000, async () => (await manager()) === undefined || undefined);
  });

  await t.test("its leader leaves, drained, and the service goes on with the others", async () => {
    await leaveSwarm(members, "s-1", ["s-2", "s-3"]);
    assert.equal(await one.sh("docker info -f '{{.Swarm.LocalNodeState}}'"), "inactive");
    assert.equal((await two.sh("docker node ls -q")).split("\n").length, 2);
    await untilServed(two, 2);
  });

  await t.test("the last one takes it with it", async () => {
    await leaveSwarm(members, "s-2", ["s-3"]);
    await leaveSwarm(members, "s-3", []);
    for (const host of hosts) assert.equal(await host.sh("docker info -f '{{.Swarm.LocalNodeState}}'"), "inactive");
    assert.equal((await recordedMemberships(context)).size, 0);
  });
});

async function untilServed(manager: LabHost, replicas: number): Promise<void> {
  await waitUntil(`${replicas} replicas`, 90_000, async () => {
    return (await manager.sh("docker service ls --format '{{.Replicas}}'")) === `${replicas}/${replicas}` || undefined;
  });
}
