/** Two colleagues at a real database with one cloud, and whatever befalls the one of them. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import * as path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { itemKeyOf, lockPrefix } from "../../src/team/team-ledger.ts";
import { temporaryFolder } from "../../src/system/testing/folder.ts";
import { lockTtlMs } from "../../src/team/bounds.ts";
import { Rig } from "../safety/rig.ts";
import { Etcd, etcdMissing } from "./etcd.ts";
import { Postgres, postgresMissing } from "./postgres.ts";
import { Relay } from "./relay.ts";
import { teamOf, type Colleague, type Login } from "./team-rig.ts";

export interface Engine extends AsyncDisposable {
  readonly loginOf: (name: string) => Login;
}

/** One member, which Alice asks through a relay. */
export interface RelayedEngine extends Engine {
  readonly relay: Relay;
  /** The time of a dead holder's lock is over. */
  readonly endLeases: () => Promise<void>;
}

/** @param login past the relay */
function throughRelay(login: Login, relay: Relay): Engine["loginOf"] {
  return (name) => (name === "alice" ? { ...login, url: login.url.replace(/:\d+/u, `:${relay.port}`) } : login);
}

async function etcdEngine(): Promise<RelayedEngine> {
  const etcd = await Etcd.start(temporaryFolder(), { release: "3.5" });
  const relay = await Relay.start(etcd.clientPorts[0] ?? 0);
  const dispose = async (): Promise<void> => {
    await relay[Symbol.asyncDispose]();
    await etcd[Symbol.asyncDispose]();
  };
  const endLeases = async (): Promise<void> => await etcd.endLeases(lockTtlMs / 1_000);
  const loginOf = throughRelay({ url: etcd.url("fleet") }, relay);
  return { loginOf, relay, endLeases, [Symbol.asyncDispose]: dispose };
}

async function postgresEngine(): Promise<RelayedEngine> {
  const folder = temporaryFolder();
  const postgres = await Postgres.start(folder);
  const password = path.join(temporaryFolder(), "password");
  writeFileSync(password, postgres.password);
  const relay = await Relay.start(postgres.port);
  const dispose = async (): Promise<void> => {
    await relay[Symbol.asyncDispose]();
    await postgres[Symbol.asyncDispose]();
  };
  const endLeases = async (): Promise<void> => await postgres.endLeases("fleet");
  const login = { url: postgres.url("fleet"), user: "alice", password: `file:${password}` };
  return { loginOf: throughRelay(login, relay), relay, endLeases, [Symbol.asyncDispose]: dispose };
}

export const engines = [
  { name: "etcd", start: etcdEngine, skip: etcdMissing("3.5") },
  { name: "PostgreSQL", start: postgresEngine, skip: postgresMissing },
] as const;

export class Office<E extends Engine = RelayedEngine> implements AsyncDisposable {
  readonly rig: Rig;
  readonly engine: E;
  readonly alice: Colleague;
  readonly bob: Colleague;

  private constructor(rig: Rig, engine: E, [alice, bob]: readonly Colleague[]) {
    assert.ok(alice !== undefined && bob !== undefined);
    this.rig = rig;
    this.engine = engine;
    this.alice = alice;
    this.bob = bob;
  }

  /** Two people who made and removed a machine each, so that all certificates are there. */
  static async open<E extends Engine>(program: string, start: () => Promise<E>): Promise<Office<E>> {
    const [rig, engine] = [await Rig.open(program), await start()];
    const office = new Office(rig, engine, await teamOf(temporaryFolder(), engine.loginOf, ["alice", "bob"]));
    for (const who of [office.alice, office.bob]) {
      await office.good(who, "create", "first");
      await office.good(who, "rm", "first");
    }
    return office;
  }

  /** Runs to a good end. */
  async good(who: Colleague, command: string, name: string): Promise<string> {
    const ran = await this.rig.run(command, [name], {}, who.storePath);
    assert.equal(ran.status, 0, `${who.name}'s ${command}: ${ran.stderr}`);
    return ran.stdout;
  }

  async listed(who: Colleague): Promise<readonly { readonly name: string; readonly error: string }[]> {
    return (JSON.parse(await this.good(who, "ls", "")) as { result: { name: string; error: string }[] }).result;
  }

  /** What the team has of a machine, and whether all is well with each, as somebody's list shows it. */
  async stateOf(who: Colleague, name: string): Promise<object> {
    const listed = (await this.listed(who)).map((each) => ({ name: each.name, error: each.error }));
    const item = await who.context.state.item(itemKeyOf("machines", name));
    return { listed, revision: item?.revision, digest: item?.digest };
  }

  /** Resolves once a machine's lock stands in the database. */
  async untilLocked(name: string): Promise<void> {
    await using ledger = await this.bob.context.openLedger();
    const key = `${lockPrefix}${itemKeyOf("machines", name)}`;
    while ((await ledger.read(key, 0, new AbortController().signal)).entries.length === 0) await delay(50);
  }

  /** As if the time were over for which nobody is asked that did not answer. */
  async forgetAbsence(who: Colleague): Promise<void> {
    await who.context.state.setAway(undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rig[Symbol.asyncDispose]();
    await this.engine[Symbol.asyncDispose]();
  }
}
