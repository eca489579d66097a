/** The contract of ledgers at real etcd, in the two releases that Debian has. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { checkLedger } from "../../src/team/check-ledger.ts";
import { EtcdLedger } from "../../src/team/etcd-ledger.ts";
import type { Ledger } from "../../src/team/ledger.ts";
import { parsePlace, type TeamLogin } from "../../src/team/place.ts";
import { describeLedgerContract } from "../../src/team/testing/ledger-contract.ts";
import { systemClock, type Clock } from "../../src/system/clock.ts";
import { temporaryFolder } from "../../src/system/testing/folder.ts";
import { expectPatience } from "./patience.ts";
import { Relay } from "./relay.ts";
import { Etcd, etcdMissing, type EtcdRelease } from "./etcd.ts";

const never = new AbortController().signal;

function ledgerAt(url: string, login: TeamLogin = {}, clock: Clock = systemClock): Ledger {
  const place = parsePlace(url);
  assert.ok(place.engine === "etcd");
  return new EtcdLedger({ place, login, clock });
}

for (const release of ["3.4", "3.5"] as const satisfies readonly EtcdRelease[]) {
  let etcd: Etcd;
  const folder = temporaryFolder();
  const skip = etcdMissing(release);
  before(async () => {
    if (skip === false) etcd = await Etcd.start(folder, { release });
  });
  after(async () => await etcd?.[Symbol.asyncDispose]());
  let places = 0;
  describeLedgerContract(
    `etcd ${release}`,
    async () => {
      const url = etcd.url(`place${(places += 1)}`);
      return { open: async () => ledgerAt(url), pass: delay };
    },
    skip,
  );

  test(`etcd ${release}: a change whose answers were lost is found again, and made once`, { skip }, async () => {
    await using relay = await Relay.start(etcd.clientPorts[0] ?? 0);
    await using ledger = ledgerAt(`etcd+http://127.0.0.1:${relay.port}/lost`);
    const change = {
      token: crypto.randomUUID(),
      require: [{ key: "m/web", revision: 0 }],
      put: [{ key: "m/web", value: "1" }],
      remove: [],
    };
    relay.loseAnswers(2, "/v3/kv/txn");
    const commit = await ledger.commit(change, never);
    assert.equal(relay.lost, 2);
    const { entries } = await ledger.read("m/", 0, never);
    assert.deepEqual(
      [commit],
      entries.map(({ revision }) => ({ revision, found: [] })),
    );
  });
}

test("a command that takes longer than a trace of it lasts makes changes still", { skip: etcdMissing("3.5") }, async () => {
  await using etcd = await Etcd.start(temporaryFolder(), { release: "3.5" });
  let aheadMs = 0;
  const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + aheadMs };
  await using ledger = ledgerAt(etcd.url("long"), {}, clock);
  const put = async (value: string): Promise<void> => {
    const change = { token: crypto.randomUUID(), require: [], put: [{ key: "m/web", value }], remove: [] };
    assert.ok("revision" in (await ledger.commit(change, never)));
  };
  await put("1");
  const ask = async (path: string, body: object): Promise<unknown> => {
    const answer = await fetch(`http://127.0.0.1:${etcd.clientPorts[0]}/v3/${path}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    return await answer.json();
  };
  // As if its hour had gone by.
  const { leases } = (await ask("lease/leases", {})) as { leases: readonly { ID: string }[] };
  assert.ok(leases.length > 0);
  for (const { ID } of leases) await ask("lease/revoke", { ID });
  aheadMs += 3_600_000;
  await put("2");
});

test(
  "etcd behind something that says it did what etcd refused fails the check, and without it passes",
  { skip: etcdMissing("3.5") },
  async () => {
    await using etcd = await Etcd.start(temporaryFolder(), { release: "3.5" });
    const liar = createServer((request, response) => {
      void (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        const body = Buffer.concat(chunks);
        const answer = await fetch(`http://127.0.0.1:${etcd.clientPorts[0]}${request.url}`, { method: "POST", body });
        const told = (await answer.json()) as object;
        const isChange = answer.ok && request.url === "/v3/kv/txn" && body.includes("compare");
        response.writeHead(answer.status).end(JSON.stringify(isChange ? { ...told, succeeded: true } : told));
      })();
    });
    await new Promise<void>((resolve) => liar.listen(0, "127.0.0.1", resolve));
    const { port } = liar.address() as AddressInfo;
    const failed = async (url: string): Promise<string[]> => {
      await using ledger = ledgerAt(url);
      return (await checkLedger(ledger, never)).filter(({ passed }) => !passed).map(({ what }) => what);
    };
    assert.deepEqual(await failed(etcd.url("check")), []);
    assert.equal((await failed(`etcd+http://127.0.0.1:${port}/check`)).length, 5);
    liar.closeAllConnections();
    liar.close();
  },
);

test("etcd: a page may take longer than a reader waits for the first word", { skip: etcdMissing("3.5") }, async () => {
  await using etcd = await Etcd.start(temporaryFolder(), { release: "3.5" });
  await using relay = await Relay.start(etcd.clientPorts[0] ?? 0);
  await using ledger = ledgerAt(`etcd+http://127.0.0.1:${relay.port}/slow`);
  await expectPatience(ledger, relay);
});

test(
  "three members of etcd, one killed after the other under load: every change that was acknowledged is there, once",
  { skip: etcdMissing("3.5") },
  async () => {
    await using etcd = await Etcd.start(temporaryFolder(), { release: "3.5", members: 3 });
    await using ledger = ledgerAt(etcd.url("load"));
    const acknowledged: string[] = [];
    const enough = new AbortController();
    const write = async (writer: number): Promise<void> => {
      await using own = ledgerAt(etcd.url("load"));
      for (let count = 0; !enough.signal.aborted; count += 1) {
        const key = `m/${writer}-${count}`;
        const require = [{ key, revision: 0 }];
        const commit = await own
          .commit({ token: crypto.randomUUID(), require, put: [{ key, value: "1" }], remove: [] }, never)
          .catch(() => undefined);
        if (commit === undefined) continue;
        assert.ok("revision" in commit, "a repetition was taken for another's change");
        acknowledged.push(key);
      }
    };
    const writing = [0, 1, 2].map(write);
    for (const member of [0, 1, 2]) {
      const before = acknowledged.length;
      await etcd.kill(member);
      while (acknowledged.length < before + 20) await new Promise((resolve) => setTimeout(resolve, 20));
      etcd.revive(member);
      await etcd.untilHealthy();
    }
    enough.abort();
    await Promise.all(writing);
    const stored = new Set((await ledger.read("m/", 0, never)).entries.map(({ key }) => key));
    assert.deepEqual(
      acknowledged.filter((key) => !stored.has(key)),
      [],
    );
    await etcd.kill(0);
    await etcd.kill(1);
    await assert.rejects(ledger.read("m/", 0, never), { code: "store-unreachable" });
  },
);

test("what is no etcd, and an address where nobody is, are told apart", async () => {
  await assert.rejects(ledgerAt("etcd+http://127.0.0.1:1/x").read("m/", 0, never), { code: "store-unreachable" });
  const web = createServer((_, answer) => answer.writeHead(404).end("<html>"));
  await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
  const { port } = web.address() as { port: number };
  const hint = (error: { hint?: string }): boolean => error.hint?.includes("begins with etcd+http://") === true;
  await assert.rejects(ledgerAt(`etcd://127.0.0.1:${port}/x`).read("m/", 0, never), hint);
  await assert.rejects(ledgerAt(`etcd+http://127.0.0.1:${port}/x`).read("m/", 0, never), {
    code: "store-refused",
    message: /no etcd/u,
  });
  web.closeAllConnections();
  web.close();
});
