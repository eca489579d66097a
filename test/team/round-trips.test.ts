/** How often a command asks a team's database, counted where a relay stands before it: each is the time that a network takes. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../src/system/testing/folder.ts";
import { TeamStore } from "../../src/team/team-store.ts";
import { isFullRun } from "../safety/rig.ts";
import { putMachines } from "./many-machines.ts";
import { teamOf, type Login } from "./team-rig.ts";
import { openCommandLine } from "../cli/command-line.ts";
import { Etcd, etcdMissing } from "./etcd.ts";
import { Postgres, postgresMissing } from "./postgres.ts";
import { Relay } from "./relay.ts";

interface Place extends AsyncDisposable {
  readonly relay: Relay;
  /** As a store's file says it. */
  readonly login: Login;
  /** What `store init` is told. */
  readonly init: readonly string[];
}

async function etcdPlace(): Promise<Place> {
  const etcd = await Etcd.start(temporaryFolder(), { release: "3.5" });
  const relay = await Relay.start(etcd.clientPorts[0] ?? 0);
  const dispose = async (): Promise<void> => {
    await relay[Symbol.asyncDispose]();
    await etcd[Symbol.asyncDispose]();
  };
  const url = `etcd+http://127.0.0.1:${relay.port}/fleet`;
  return { relay, login: { url }, init: [url], [Symbol.asyncDispose]: dispose };
}

async function postgresPlace(): Promise<Place> {
  const postgres = await Postgres.start(temporaryFolder());
  const relay = await Relay.start(postgres.port);
  const password = path.join(temporaryFolder(), "password");
  writeFileSync(password, postgres.password);
  const dispose = async (): Promise<void> => {
    await relay[Symbol.asyncDispose]();
    await postgres[Symbol.asyncDispose]();
  };
  const url = `postgres://127.0.0.1:${relay.port}/postgres/fleet`;
  const login = { url, user: "alice", password: `file:${password}` };
  return { relay, login, init: [url, "--user", login.user, "--password", login.password], [Symbol.asyncDispose]: dispose };
}

/** Round trips to log in. */
const logins = { etcd: 0, PostgreSQL: 3 } as const;

const places = [
  { name: "etcd", open: etcdPlace, skip: etcdMissing("3.5") },
  { name: "PostgreSQL", open: postgresPlace, skip: postgresMissing },
] as const;

for (const { name, open, skip } of places) {
  test(`${name}: who only reads asks once, and lock and fence are four questions`, { skip }, async (context) => {
    await using place = await open();
    await using alice = await openCommandLine();
    const { relay } = place;
    const started = await alice.run(["store", "init", ...place.init, "--name", "alice"]);
    assert.equal(started.code, 0, started.stderr);
    await alice.ok("create -d none --url tcp://127.0.0.1:1 web");
    const tripsOf = async (words: string): Promise<number> => {
      const before = relay.trips;
      await alice.ok(words);
      context.diagnostic(`${words}: ${relay.trips - before}`);
      return relay.trips - before;
    };
    for (const words of ["ls -q", "ip web", "url web"]) assert.equal(await tripsOf(words), logins[name] + 1, words);
    // Beside the look that every command takes.
    assert.equal(await tripsOf("label web team=a"), logins[name] + 1 + 4);
  });

  test(`${name}: the first look at many machines takes a question for each page of them`, { skip }, async (context) => {
    await using place = await open();
    const { relay, login } = place;
    const [alice, bob] = await teamOf(temporaryFolder(), login, ["alice", "bob"]);
    assert.ok(alice !== undefined && bob !== undefined);
    const count = isFullRun ? 10_000 : 540;
    await putMachines(alice, count);
    relay.delayMs = 50;
    const [before, startedMs, startedUsage] = [relay.trips, performance.now(), process.cpuUsage()];
    assert.equal((await TeamStore.open(bob.context).list()).length, count);
    const seconds = (performance.now() - startedMs) / 1_000;
    const { user, system } = process.cpuUsage(startedUsage);
    const busySeconds = (user + system) / 1_000_000;
    // The moment's look, the pages, the roster and the key with which they are sealed. Those two go along with a page where
    // the disk lets them: how many journeys that saves is the moment's, how many questions there are is not.
    const pages = Math.floor(count / 500) + 1;
    assert.ok(relay.trips - before <= logins[name] + 1 + pages + 2, `${relay.trips - before}`);
    context.diagnostic(
      `${count} machines in ${seconds.toFixed(1)} s, ${busySeconds.toFixed(1)} of the processor, ${relay.trips - before} round trips of 100 ms`,
    );
    // What a clock says is the load's of whatever else runs.
    if (isFullRun) assert.ok(busySeconds <= 10, `${busySeconds} s`);
    const next = relay.trips;
    assert.equal((await TeamStore.open(bob.context).list()).length, count);
    assert.equal(relay.trips - next, logins[name] + 1);
  });
}
