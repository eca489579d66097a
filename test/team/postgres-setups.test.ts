/** PostgreSQL as people set it up, rightly and wrongly: behind a pooler, with TLS, with a role for each, as a standby. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { systemClock } from "../../src/system/clock.ts";
import { temporaryFolder } from "../../src/system/testing/folder.ts";
import { checkLedger } from "../../src/team/check-ledger.ts";
import type { Change, Ledger } from "../../src/team/ledger.ts";
import { parsePlace, type TeamLogin, type TeamPlace } from "../../src/team/place.ts";
import { PostgresLedger } from "../../src/team/postgres-ledger.ts";
import { makePair, type PairFiles } from "./pair-files.ts";
import { Pooler, poolerMissing } from "./pooler.ts";
import { Postgres, postgresMissing } from "./postgres.ts";
import { refusal } from "./refusal.ts";

const never = new AbortController().signal;
const skip = postgresMissing;
const folder = temporaryFolder();
let postgres: Postgres;
let server: PairFiles;
before(async () => {
  if (skip !== false) return;
  server = makePair(folder, "server", "localhost");
  postgres = await Postgres.start(folder, { tls: server });
});
after(async () => await postgres?.[Symbol.asyncDispose]());

function ledgerAt(url: string, login: TeamLogin = {}, change: Partial<TeamPlace & { engine: "postgres" }> = {}): Ledger {
  const place = parsePlace(url);
  assert.ok(place.engine === "postgres");
  const alice = { user: "alice", password: async () => postgres.password };
  return new PostgresLedger({ place: { ...place, ...change }, login: { ...alice, ...login }, clock: systemClock });
}

function put(key: string, value = "1"): Change {
  return { token: crypto.randomUUID(), require: [], put: [{ key, value }], remove: [] };
}

test("PostgreSQL: an address where nobody is says so within a second, a silent one within five, and a reader waits for neither", async () => {
  const at = (port: number): Ledger => {
    const place: TeamPlace = { engine: "postgres", host: "127.0.0.1", port, database: "x", schema: "x", secure: false };
    return new PostgresLedger({ place, login: {}, clock: systemClock });
  };
  const change = await refusal(at(1).commit(put("m/web"), never));
  assert.equal(change.code, "store-unreachable");
  assert.match(change.message, /^The team's store at 127\.0\.0\.1:1 cannot be reached: connect ECONNREFUSED 127\.0\.0\.1:1$/u);
  assert.ok(change.ms < 1_000, `${change.ms} ms`);
  const reading = await refusal(at(1).read("m/", 0, never));
  assert.ok(reading.ms < 500, `${reading.ms} ms`);
  const mute = createServer(() => {});
  await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
  const { port } = mute.address() as AddressInfo;
  const [read, lease] = await Promise.all([refusal(at(port).read("m/", 0, never)), refusal(at(port).lease(15_000, never))]);
  assert.ok(read.ms < 2_500 && lease.ms < 4_500, `${read.ms} ms, ${lease.ms} ms`);
  mute.close();
});

test(
  "PostgreSQL behind a pooler in transaction mode keeps all that a team's store needs",
  { skip: skip || poolerMissing },
  async () => {
    await using pooler = await Pooler.start(temporaryFolder(), postgres);
    const url = `postgres://127.0.0.1:${pooler.port}/postgres/pooled`;
    await using ledger = ledgerAt(url);
    await ledger.prepare(never);
    const failed = (await checkLedger(ledger, never)).filter(({ passed }) => !passed);
    assert.deepEqual(failed, []);
    const writers = Array.from({ length: 6 }, () => ledgerAt(url));
    const count = async (writer: Ledger): Promise<void> => {
      for (let counted = 0; counted < 5;) {
        const [entry] = (await writer.read("n", 0, never)).entries;
        const require = [{ key: "n", revision: entry?.revision ?? 0 }];
        if ("revision" in (await writer.commit({ ...put("n", String(Number(entry?.value ?? 0) + 1)), require }, never)))
          counted += 1;
      }
    };
    await Promise.all(writers.map(count));
    assert.equal((await ledger.read("n", 0, never)).entries[0]?.value, "30");
    for (const writer of writers) await writer[Symbol.asyncDispose]();
  },
);

test(
  "PostgreSQL with TLS is believed by its own authority alone, and one without it is refused where TLS is meant",
  { skip },
  async () => {
    const url = postgres.url("tls");
    const roots = readFileSync(server.authority, "utf8");
    await using ledger = ledgerAt(url, { roots }, { secure: true });
    await ledger.prepare(never);
    assert.ok("revision" in (await ledger.commit(put("m/web"), never)));
    const strange = await refusal(ledgerAt(url, {}, { secure: true }).read("m/", 0, never));
    assert.deepEqual(
      [strange.code, strange.hint],
      ["store-unreachable", "Name the file of the database's own certificate authority with --ca."],
    );
    assert.ok(strange.ms < 1_000, `${strange.ms} ms`);
    await using open = await Postgres.start(temporaryFolder());
    const plain = await refusal(ledgerAt(open.url("tls"), { roots }, { secure: true }).read("m/", 0, never));
    assert.deepEqual(
      [plain.code, plain.hint],
      ["store-unreachable", "It seems to speak no TLS, which it has to for other computers; see docs/team.md."],
    );
  },
);

test("PostgreSQL with a role for each: rights as docs/team.md says them suffice, and fewer are told", { skip }, async () => {
  await using ledger = ledgerAt(postgres.url("fleet"));
  await ledger.prepare(never);
  await ledger.commit(put("m/web"), never);
  const password: string = crypto.randomUUID();
  await postgres.run(`create role bob login password '${password}'`);
  const login = { user: "bob", password: async () => password };
  const before = await refusal(ledgerAt(postgres.url("fleet"), login).read("m/", 0, never));
  assert.deepEqual([before.code, before.hint], ["store-refused", "Its user needs rights on the schema fleet; see docs/team.md."]);
  await postgres.run(
    "grant usage on schema fleet to bob; grant select, insert, update, delete on all tables in schema fleet to bob",
  );
  await using theirs = ledgerAt(postgres.url("fleet"), login);
  await theirs.prepare(never);
  assert.deepEqual(
    (await checkLedger(theirs, never)).filter(({ passed }) => !passed),
    [],
  );
  const nobody = await refusal(ledgerAt(postgres.url("fleet"), { user: "nobody" }).read("m/", 0, never));
  assert.match(nobody.hint, /--user/u);
  const database = await refusal(ledgerAt(postgres.url("fleet").replace("/postgres/", "/none/")).read("m/", 0, never));
  assert.match(`${database.message} ${database.hint}`, /"none".+Make the database first/u);
  const mine = await refusal(ledgerAt(postgres.url("bobs"), login).prepare(never));
  assert.match(`${mine.message} ${mine.hint}`, /permission denied for database.+docs\/team\.md/u);
});

test("a standby of PostgreSQL is read, and a change is told to go to the primary", { skip }, async () => {
  await using ledger = ledgerAt(postgres.url("primary"));
  await ledger.prepare(never);
  await ledger.commit(put("m/web"), never);
  await using standby = await postgres.standby(temporaryFolder());
  await using there = ledgerAt(standby.url("primary"));
  assert.equal((await there.read("m/", 0, never)).entries.length, 1);
  const change = await refusal(there.commit(put("m/web"), never));
  assert.deepEqual(
    [change.code, change.hint],
    ["store-refused", "That server only reads, as a standby does: the team's store is at the primary's address."],
  );
});
