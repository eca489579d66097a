/**
 * Three members of etcd on a network that comes apart: who is with the fewer is refused in time and changes nothing, who is
 * with the more goes on, and when it is whole again all agree.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "../../src/system/clock.ts";
import { temporaryFolder } from "../../src/system/testing/folder.ts";
import { lockTtlMs } from "../../src/team/bounds.ts";
import { EtcdLedger } from "../../src/team/etcd-ledger.ts";
import type { Change, Ledger } from "../../src/team/ledger.ts";
import { parsePlace } from "../../src/team/place.ts";
import { buildProgram } from "../safety/rig.ts";
import { Etcd, etcdMissing } from "./etcd.ts";
import { Network, networkMissing, type Wire } from "./network.ts";
import { Office, type Engine } from "./office.ts";
import { makePair } from "./pair-files.ts";
import { refusal } from "./refusal.ts";
import type { Login } from "./team-rig.ts";

const never = new AbortController().signal;
const skip = etcdMissing("3.5") || networkMissing();
const members = [0, 1, 2];
/** For as long a lock lives that is waited for here. */
const shortMs = 5_000;
const program = buildProgram();

class Members implements Engine {
  readonly network: Network;
  readonly etcd: Etcd;
  readonly #authority: string;

  private constructor(network: Network, etcd: Etcd, authority: string) {
    this.network = network;
    this.etcd = etcd;
    this.#authority = authority;
  }

  static async start(): Promise<Members> {
    const network = await Network.start(members.length);
    const folder = temporaryFolder();
    const addresses = members.flatMap((member) => [network.address("alice", member), network.address("bob", member)]);
    const server = makePair(folder, "server", "", addresses);
    const seats = members.map((member) => ({
      at: network.at(member),
      peers: `${network.address("peers", member)}:2380`,
      clients: [`${network.address("alice", member)}:2379`, `${network.address("bob", member)}:2379`],
      health: `${network.address("test", member)}:2381`,
    }));
    const etcd = await Etcd.start(folder, { release: "3.5", members: seats, tls: { server, clients: "any" } });
    await etcd.untilOne();
    return new Members(network, etcd, server.authority);
  }

  loginOf = (name: string): Login => ({ url: this.url(name as Wire, members), ca: this.#authority });

  /** @param those members that are named in it */
  url(wire: Wire, those: readonly number[]): string {
    return `etcd://${those.map((member) => `${this.network.address(wire, member)}:2379`).join(",")}/fleet`;
  }

  ledger(wire: Wire, those: readonly number[] = members): Ledger {
    const place = parsePlace(this.url(wire, those));
    assert.ok(place.engine === "etcd");
    return new EtcdLedger({ place, login: { roots: readFileSync(this.#authority, "utf8") }, clock: systemClock });
  }

  /** What each member has under a prefix, asked by itself alone. */
  async eachRead(prefix: string): Promise<readonly (readonly string[])[]> {
    return await Promise.all(
      members.map(async (member) => {
        const { entries } = await this.ledger("bob", [member]).read(prefix, 0, never);
        return entries.map(({ key, value, revision }) => `${key}=${value}@${revision}`).toSorted();
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.etcd[Symbol.asyncDispose]();
    await this.network[Symbol.asyncDispose]();
  }
}

function put(key: string): Change {
  return { token: crypto.randomUUID(), require: [{ key, revision: 0 }], put: [{ key, value: "1" }], remove: [] };
}

// Most of it is waiting.
describe("a network that comes apart", { concurrency: 3, skip }, () => {
  test("the leader, cut off from the others, is left by who hears all, and refuses who hears it alone", async (context) => {
    await using place = await Members.start();
    const { network, etcd } = place;
    const leader = await etcd.leaderOf(members);
    await using all = place.ledger("bob");
    await using known = place.ledger("alice", [leader]);
    await using fresh = place.ledger("alice", [leader]);
    const acknowledged: string[] = [];
    let longestMs = 0;
    const enough = new AbortController();
    const write = async (): Promise<void> => {
      for (let count = 0; !enough.signal.aborted; count += 1) {
        const started = performance.now();
        const key = `m/${count}`;
        const commit = await all.commit(put(key), never);
        assert.ok("revision" in commit, "a repetition was taken for another's change");
        acknowledged.push(`${key}=1@${commit.revision}`);
        longestMs = Math.max(longestMs, performance.now() - started);
        await delay(5);
      }
    };
    const writing = write();
    const lease = await known.lease(shortMs, never);
    await known.commit({ ...put("lock"), put: [{ key: "lock", value: "alice", lease }] }, never);
    let lostMs = Infinity;
    lease.lost.addEventListener("abort", () => (lostMs = performance.now()));

    await network.cut("peers", leader);
    const before = acknowledged.length;
    const takeLock = async (): Promise<number> => {
      await using other = place.ledger("bob");
      const theirs = await other.lease(lockTtlMs, never);
      const taking = (): Change => ({ ...put("lock"), put: [{ key: "lock", value: "bob", lease: theirs }] });
      while ("conflicts" in (await other.commit(taking(), never))) await delay(20);
      return performance.now();
    };
    const [early, late, reading, taken] = await Promise.all([
      refusal(fresh.commit(put("n/fresh"), never)),
      refusal(known.commit(put("n/known"), never)),
      refusal(known.read("m/", 0, never)),
      takeLock(),
    ]);
    assert.deepEqual(
      [early, late, reading].map(({ code }) => code),
      ["store-unreachable", "store-unreachable", "store-unreachable"],
    );
    assert.ok(early.ms < 4_000 && late.ms < 12_000 && reading.ms < 3_000, `${early.ms}, ${late.ms}, ${reading.ms} ms`);
    assert.ok(acknowledged.length > before + 20, "the others go on");
    assert.ok(lostMs < taken, `it was told ${lostMs - taken} ms after another had the lock`);
    context.diagnostic(
      `${acknowledged.length} changes, the longest in ${longestMs.toFixed(0)} ms; refused after ${early.ms.toFixed(0)}, ${late.ms.toFixed(0)} and ${reading.ms.toFixed(0)} ms; the lock was another's ${(taken - lostMs).toFixed(0)} ms after it was lost`,
    );
    enough.abort();
    await writing;
    await network.mend();
    await etcd.untilOne();
    const [stored, ...others] = await place.eachRead("m/");
    assert.deepEqual(stored, acknowledged.toSorted());
    for (const other of others) assert.deepEqual(other, stored);
    assert.deepEqual((await place.eachRead("n/")).flat(), [], "what was refused was not done later");
  });

  test("the leader is killed in the middle of a create, and nobody notices", async () => {
    await using office = await Office.open(program, async () => await Members.start());
    const { rig, engine, alice, bob } = office;
    const leader = await engine.etcd.leaderOf(members);
    const made = await rig.run("create", ["web"], { whenPending: () => void engine.etcd.kill(leader) }, alice.storePath);
    assert.equal(made.status, 0, made.stderr);
    assert.equal((await rig.ours()).length, 1);
    await office.good(bob, "rm", "web");
    assert.deepEqual(await rig.ours(), []);
  });

  test("who is cut off with one member in the middle of a create, and their colleague with the other two", async (context) => {
    await using office = await Office.open(program, async () => await Members.start());
    const { rig, engine, alice, bob } = office;
    const { network, etcd } = engine;
    await office.good(alice, "create", "db");
    const few = await etcd.leaderOf(members);
    const many = members.filter((member) => member !== few);
    const parted = Promise.withResolvers<number>();
    const whenPending = (): void => {
      const cuts = [
        network.cut("peers", few),
        network.cut("bob", few),
        ...many.map(async (each) => await network.cut("alice", each)),
      ];
      Promise.all(cuts).then(() => parted.resolve(performance.now()), parted.reject);
    };
    const creating = rig.run("create", ["web"], { whenPending }, alice.storePath);
    const partedMs = await parted.promise;
    const seconds = (): string => ((performance.now() - partedMs) / 1_000).toFixed(1);
    await etcd.leaderOf(many);
    const [cutOff, refused] = await Promise.all([
      creating.finally(() => context.diagnostic(`the create of the few ended after ${seconds()} s`)),
      rig.run("rm", ["db"], {}, alice.storePath).finally(() => context.diagnostic(`their next command after ${seconds()} s`)),
      office.good(bob, "rotate", "db").finally(() => context.diagnostic(`the many changed another after ${seconds()} s`)),
      office.good(bob, "create", "web").finally(() => context.diagnostic(`and went on with it after ${seconds()} s`)),
    ]);
    assert.notEqual(cutOff.status, 0);
    assert.match(cutOff.stderr, /lock was lost|cannot be reached/u);
    assert.match(refused.stderr, /cannot be reached/u);
    assert.equal((await rig.ours()).length, 2, "nothing was made twice, and nothing removed");
    const made = await office.stateOf(bob, "web");
    await network.mend();
    await etcd.untilOne();
    await office.forgetAbsence(alice);
    assert.deepEqual(await office.stateOf(alice, "web"), made);
    assert.deepEqual(await office.stateOf(bob, "web"), made);
    await office.good(alice, "rm", "web");
    await office.good(bob, "rm", "db");
    assert.deepEqual(await rig.ours(), []);
  });
});
