/** How often a command asks a team's database, counted where a relay stands before it: each is the time that a network takes. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../src/system/testing/folder.ts";
import { openCommandLine } from "../cli/command-line.ts";
import { Etcd, etcdMissing } from "./etcd.ts";
import { Postgres, postgresMissing } from "./postgres.ts";
import { Relay } from "./relay.ts";

interface Place extends AsyncDisposable {
  readonly relay: Relay;
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
  return { relay, init: [`etcd+http://127.0.0.1:${relay.port}/fleet`], [Symbol.asyncDispose]: dispose };
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
  const init = [`postgres://127.0.0.1:${relay.port}/postgres/fleet`, "--user", "alice", "--password", `file:${password}`];
  return { relay, init, [Symbol.asyncDispose]: dispose };
}

/** Round trips to log in. */
const logins = { etcd: 0, PostgreSQL: 3 } as const;

for (const { name, open, skip } of [
  { name: "etcd", open: etcdPlace, skip: etcdMissing("3.5") },
  { name: "PostgreSQL", open: postgresPlace, skip: postgresMissing },
] as const)
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
