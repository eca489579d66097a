/**
 * The laptop dies in the middle of `create`, and a colleague's `create` finishes it, from another store, with another
 * identity: there is one instance. At real etcd and real PostgreSQL. With DOCKER_MACHINE_LONG_TESTS=1 at each instant.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../src/system/testing/folder.ts";
import { lockTtlMs } from "../../src/team/bounds.ts";
import { buildProgram, isFullRun, Rig } from "../safety/rig.ts";
import { Etcd, etcdMissing } from "./etcd.ts";
import { Postgres, postgresMissing } from "./postgres.ts";
import { teamOf, type Colleague, type Login } from "./team-rig.ts";

const program = buildProgram();

interface Engine extends AsyncDisposable {
  readonly login: Login;
  /** The time of a dead holder's lock is over. */
  readonly endLeases: () => Promise<void>;
}

async function etcdEngine(): Promise<Engine> {
  const etcd = await Etcd.start(temporaryFolder(), { release: "3.5" });
  const dispose = async (): Promise<void> => await etcd[Symbol.asyncDispose]();
  const endLeases = async (): Promise<void> => await etcd.endLeases(lockTtlMs / 1_000);
  return { login: { url: etcd.url("fleet") }, endLeases, [Symbol.asyncDispose]: dispose };
}

async function postgresEngine(): Promise<Engine> {
  const folder = temporaryFolder();
  const postgres = await Postgres.start(folder);
  const password = path.join(temporaryFolder(), "password");
  writeFileSync(password, postgres.password);
  const dispose = async (): Promise<void> => await postgres[Symbol.asyncDispose]();
  const endLeases = async (): Promise<void> => await postgres.endLeases("fleet");
  const login = { url: postgres.url("fleet"), user: "alice", password: `file:${password}` };
  return { login, endLeases, [Symbol.asyncDispose]: dispose };
}

const engines = [
  { name: "etcd", start: etcdEngine, skip: etcdMissing("3.5") },
  { name: "PostgreSQL", start: postgresEngine, skip: postgresMissing },
] as const;

class Office implements AsyncDisposable {
  readonly rig: Rig;
  readonly engine: Engine;
  readonly alice: Colleague;
  readonly bob: Colleague;

  private constructor(rig: Rig, engine: Engine, [alice, bob]: readonly Colleague[]) {
    assert.ok(alice !== undefined && bob !== undefined);
    this.rig = rig;
    this.engine = engine;
    this.alice = alice;
    this.bob = bob;
  }

  /** Two people who made and removed a machine each, so that all certificates are there. */
  static async open(start: () => Promise<Engine>): Promise<Office> {
    const [rig, engine] = [await Rig.open(program), await start()];
    const office = new Office(rig, engine, await teamOf(temporaryFolder(), engine.login, ["alice", "bob"]));
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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rig[Symbol.asyncDispose]();
    await this.engine[Symbol.asyncDispose]();
  }
}

for (const { name, start, skip } of engines) {
  test(
    `${name}: the laptop dies while the cloud makes the instance, and a colleague's create finishes it`,
    { skip },
    async () => {
      await using office = await Office.open(start);
      const { rig, alice, bob } = office;
      assert.equal((await rig.run("create", ["web"], { pending: true }, alice.storePath)).killed, true);
      const died = performance.now();
      await office.good(bob, "create", "web");
      const seconds = (performance.now() - died) / 1_000;
      assert.ok(seconds < 25, `${seconds} s`);
      assert.equal((await rig.ours()).length, 1);
      // The laptop is back.
      assert.deepEqual(
        (await office.listed(alice)).map(({ name: machine, error }) => [machine, error]),
        [["web", ""]],
      );
      assert.equal(await office.good(alice, "ip", "web"), await office.good(bob, "ip", "web"));
      await office.good(alice, "rm", "web");
      assert.deepEqual(await rig.ours(), []);
      assert.deepEqual(await office.listed(bob), []);
    },
  );

  test(`${name}: create, killed before its changes, and gone on with by a colleague`, { skip }, async (context) => {
    await using office = await Office.open(start);
    const { rig, engine, alice, bob } = office;
    const { instants } = JSON.parse(await office.good(alice, "create", "web")) as { instants: number };
    await office.good(alice, "rm", "web");
    const step = isFullRun ? 1 : Math.ceil(instants / 5);
    let kills = 0;
    for (let at = 1; at <= instants; at += step) {
      assert.equal((await rig.run("create", ["web"], { at }, alice.storePath)).killed, true, `instant ${at} of ${instants}`);
      kills += 1;
      await engine.endLeases();
      const theirs = await rig.run("create", ["web"], {}, bob.storePath);
      // Where only the lock was left to be given back, the machine is there.
      assert.ok(theirs.status === 0 || /already exists/u.test(theirs.stderr), `after instant ${at}: ${theirs.stderr}`);
      assert.equal((await rig.ours()).length, 1, `after instant ${at}`);
      for (const who of [alice, bob])
        assert.deepEqual(
          (await office.listed(who)).map(({ name: machine, error }) => [machine, error]),
          [["web", ""]],
          `${who.name} after instant ${at}`,
        );
      await office.good(at % 2 === 0 ? alice : bob, "rm", "web");
      assert.deepEqual(await rig.ours(), [], `after instant ${at}`);
    }
    context.diagnostic(`${kills} kills at ${instants} instants`);
  });
}
