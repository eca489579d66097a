/** The contract of ledgers at a real PostgreSQL. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Ledger } from "../../src/team/ledger.ts";
import { checkLedger } from "../../src/team/check-ledger.ts";
import { parsePlace } from "../../src/team/place.ts";
import { PostgresLedger } from "../../src/team/postgres-ledger.ts";
import { describeLedgerContract } from "../../src/team/testing/ledger-contract.ts";
import { systemClock } from "../../src/system/clock.ts";
import { temporaryFolder } from "../../src/system/testing/folder.ts";
import { expectPatience } from "./patience.ts";
import { Relay } from "./relay.ts";
import { Postgres, postgresMissing } from "./postgres.ts";

const skip = postgresMissing;
const never = new AbortController().signal;
const folder = temporaryFolder();
let postgres: Postgres;
before(async () => {
  if (skip === false) postgres = await Postgres.start(folder);
});
after(async () => await postgres?.[Symbol.asyncDispose]());

function ledgerAt(url: string, password: string = postgres.password): Ledger {
  const place = parsePlace(url);
  assert.ok(place.engine === "postgres");
  return new PostgresLedger({ place, login: { user: "alice", password: async () => password }, clock: systemClock });
}

let places = 0;
describeLedgerContract(
  "PostgreSQL",
  async () => {
    const url = postgres.url(`place${(places += 1)}`);
    return { open: async () => ledgerAt(url), pass: delay };
  },
  skip,
);

test("PostgreSQL: a change whose answers were lost is found again, and made once", { skip }, async () => {
  await using relay = await Relay.start(postgres.port);
  await using direct = ledgerAt(postgres.url("lost"));
  await direct.prepare(never);
  await using ledger = ledgerAt(`postgres://127.0.0.1:${relay.port}/postgres/lost`);
  const change = {
    token: crypto.randomUUID(),
    require: [{ key: "m/web", revision: 0 }],
    put: [{ key: "m/web", value: "1" }],
    remove: [],
  };
  relay.loseAnswers(2, "commit_change");
  const commit = await ledger.commit(change, never);
  assert.equal(relay.lost, 2);
  assert.deepEqual(
    [commit],
    (await direct.read("m/", 0, never)).entries.map(({ revision }) => ({ revision, found: [] })),
  );
});

test("PostgreSQL: a page may take longer than a reader waits for the first word", { skip }, async () => {
  await using direct = ledgerAt(postgres.url("slow"));
  await direct.prepare(never);
  await using relay = await Relay.start(postgres.port);
  await using ledger = ledgerAt(`postgres://127.0.0.1:${relay.port}/postgres/slow`);
  await expectPatience(ledger, relay);
});

test("PostgreSQL passes the check", { skip }, async () => {
  await using ledger = ledgerAt(postgres.url("check"));
  await ledger.prepare(never);
  assert.deepEqual(
    (await checkLedger(ledger, never)).filter(({ passed }) => !passed),
    [],
  );
});

test("a server that is started anew is asked again, and one that is gone is said to be", { skip }, async () => {
  await using ledger = ledgerAt(postgres.url("restart"));
  await ledger.prepare(never);
  const put = async (value: string): Promise<unknown> =>
    await ledger.commit({ token: crypto.randomUUID(), require: [], put: [{ key: "m/web", value }], remove: [] }, never);
  await put("1");
  await postgres.stop();
  await assert.rejects(ledger.read("m/", 0, never), { code: "store-unreachable" });
  const waiting = put("2");
  await postgres.revive();
  await waiting;
  assert.equal((await ledger.read("m/", 0, never)).entries[0]?.value, "2");
});

test("a refused login says so, and neither it nor its error names the password", { skip }, async () => {
  await using ledger = ledgerAt(postgres.url("login"), "canary-of-a-password");
  await assert.rejects(ledger.read("m/", 0, never), (error: Error) => {
    assert.equal((error as { code?: string }).code, "store-refused");
    assert.doesNotMatch(`${error.message} ${error.stack} ${String((error as { cause?: Error }).cause?.stack)}`, /canary/u);
    return true;
  });
});

test("a store that nobody has made is not there", { skip }, async () => {
  await using ledger = ledgerAt(postgres.url("nobody"));
  await assert.rejects(ledger.read("m/", 0, never), { code: "store-refused", message: /nobody/u });
});
