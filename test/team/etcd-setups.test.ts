/** etcd as people set it up, rightly and wrongly: with TLS and logins, full, compacted, with a member that hangs. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { temporaryFolder } from "../../src/system/testing/folder.ts";
import { HttpClient } from "../../src/system/http-request.ts";
import { systemClock } from "../../src/system/clock.ts";
import { EtcdLedger } from "../../src/team/etcd-ledger.ts";
import type { Change, Ledger } from "../../src/team/ledger.ts";
import { parsePlace, type TeamLogin } from "../../src/team/place.ts";
import { Etcd, etcdMissing } from "./etcd.ts";
import { refusal } from "./refusal.ts";
import { Relay } from "./relay.ts";
import { makePair, type PairFiles } from "./pair-files.ts";

const never = new AbortController().signal;
const skip = etcdMissing("3.5");

function ledgerAt(url: string, login: TeamLogin = {}): Ledger {
  const place = parsePlace(url);
  assert.ok(place.engine === "etcd");
  return new EtcdLedger({ place, login, clock: systemClock });
}

function put(key: string, value = "1"): Change {
  return { token: crypto.randomUUID(), require: [], put: [{ key, value }], remove: [] };
}

test("etcd: an address where nobody is says so within a second, a silent one within five, and a reader waits for neither", async () => {
  const dead = ledgerAt("etcd+http://127.0.0.1:1,127.0.0.1:2/x");
  const change = await refusal(dead.commit(put("m/web"), never));
  assert.equal(change.code, "store-unreachable");
  assert.match(
    change.message,
    /^The team's store at 127\.0\.0\.1:1, 127\.0\.0\.1:2 cannot be reached: connect ECONNREFUSED [^:]+:1$/u,
  );
  assert.match(change.hint, /^Nothing was changed\./u);
  assert.ok(change.ms < 1_000, `${change.ms} ms`);
  const reading = await refusal(dead.read("m/", 0, never));
  assert.ok(reading.ms < 500, `${reading.ms} ms`);
  const mute = createTcpServer(() => {});
  await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
  const silent = ledgerAt(`etcd+http://127.0.0.1:${(mute.address() as AddressInfo).port}/x`);
  const [read, lease] = await Promise.all([refusal(silent.read("m/", 0, never)), refusal(silent.lease(15_000, never))]);
  assert.match(lease.message, /no answer within 3 s/u);
  assert.ok(read.ms < 2_500 && lease.ms < 4_500, `${read.ms} ms, ${lease.ms} ms`);
  mute.close();
});

test("etcd with TLS is believed by its own authority alone, and one that asks for a certificate gets it", { skip }, async () => {
  const folder = temporaryFolder();
  const server = makePair(folder, "server", "localhost");
  const mine = makePair(folder, "alice", "alice");
  await using etcd = await Etcd.start(folder, { release: "3.5", tls: { server, clients: "certified" } });
  const url = `etcd://127.0.0.1:${etcd.clientPorts[0]}/tls`;
  const roots = readFileSync(server.authority, "utf8");
  const client = { certificate: readFileSync(mine.certificate, "utf8"), key: readFileSync(mine.key, "utf8") };
  await using ledger = ledgerAt(url, { roots, client });
  assert.ok("revision" in (await ledger.commit(put("m/web"), never)));
  const strange = await refusal(ledgerAt(url).read("m/", 0, never));
  assert.deepEqual(
    [strange.code, strange.hint],
    ["store-unreachable", "Name the file of the database's own certificate authority with --ca."],
  );
  const bare = await refusal(ledgerAt(url, { roots }).read("m/", 0, never));
  assert.match(bare.hint, /^Show one with --client-cert and --client-key/u);
  assert.ok(bare.ms < 1_000, `${bare.ms} ms`);
  const plain = await refusal(ledgerAt(url.replace("etcd://", "etcd+http://")).read("m/", 0, never));
  assert.match(`${plain.message} ${plain.hint}`, /etcd:\/\//u);
});

test("etcd with users: a password opens it, and each that does not is told what to mend", { skip }, async () => {
  const folder = temporaryFolder();
  const server = makePair(folder, "server", "");
  const [named, nameless] = [makePair(folder, "named", "alice"), makePair(folder, "nameless", "")];
  await using etcd = await Etcd.start(folder, { release: "3.5", tls: { server, clients: "certified" } });
  const url = `etcd://127.0.0.1:${etcd.clientPorts[0]}/fleet`;
  const roots = readFileSync(server.authority, "utf8");
  const root = new EtcdControl(etcd.clientPorts[0] ?? 0, nameless);
  const password: string = crypto.randomUUID();
  await root.ask("auth/user/add", { name: "root", password });
  await root.ask("auth/user/grant", { user: "root", role: "root" });
  // As docs/team.md says it.
  await root.ask("auth/user/add", { name: "dm", password });
  await root.ask("auth/role/add", { name: "fleet" });
  const [key, range_end] = ["docker-machine/fleet/", "docker-machine/fleet0"].map((text) => Buffer.from(text).toString("base64"));
  await root.ask("auth/role/grant", { name: "fleet", perm: { permType: "READWRITE", key, range_end } });
  await root.ask("auth/user/grant", { user: "dm", role: "fleet" });
  await root.ask("auth/enable", {});

  const shown = (pair: PairFiles): Required<TeamLogin>["client"] => ({
    certificate: readFileSync(pair.certificate, "utf8"),
    key: readFileSync(pair.key, "utf8"),
  });
  const login = (user: string, secret = password): TeamLogin => {
    return { roots, user, password: async () => secret, client: shown(nameless) };
  };
  await using ledger = ledgerAt(url, login("dm"));
  await ledger.prepare(never);
  const lease = await ledger.lease(5_000, never);
  assert.ok("revision" in (await ledger.commit({ ...put("m/web"), remove: ["m/db"] }, never)));
  await lease.release();
  const wrong = await refusal(ledgerAt(url, login("dm", "canary-password")).read("m/", 0, never));
  assert.deepEqual([wrong.code, wrong.hint], ["store-refused", "Look at --user and --password."]);
  assert.doesNotMatch(JSON.stringify(wrong), /canary/u);
  const nobody = await refusal(ledgerAt(url, { roots, client: shown(nameless) }).read("m/", 0, never));
  assert.match(nobody.hint, /--user/u);
  const elsewhere = await refusal(ledgerAt(url.replace("/fleet", "/other"), login("dm")).read("m/", 0, never));
  assert.match(elsewhere.hint, /^Its user, who is said with --user, needs to read and write the keys under the team's prefix/u);
  const common = await refusal(ledgerAt(url, { ...login("dm"), client: shown(named) }).read("m/", 0, never));
  assert.equal(common.hint, "Beside a password its gateway takes only certificates that bear no common name (CN).");
});

test("etcd that is full is read, says what to do, and takes changes again once that was done", { skip }, async () => {
  await using etcd = await Etcd.start(temporaryFolder(), { release: "3.5", flags: ["--quota-backend-bytes=16777216"] });
  await using ledger = ledgerAt(etcd.url("full"));
  const mebibyte = "x".repeat(1_000_000);
  const fill = async (): Promise<never> => {
    for (;;) await ledger.commit(put("m/web", mebibyte), never);
  };
  const full = await refusal(fill());
  assert.equal(full.code, "store-refused");
  assert.match(full.hint, /compact its history, then etcdctl defrag and etcdctl alarm disarm/u);
  assert.equal((await ledger.read("m/", 0, never)).entries.length, 1);
  const { revision } = await ledger.read("m/", 0, never);
  await etcd.ask("kv/compaction", { revision: String(revision), physical: true });
  await etcd.ask("maintenance/defragment", {});
  const { alarms } = (await etcd.ask("maintenance/alarm", { action: "GET" })) as { alarms: readonly object[] };
  for (const alarm of alarms) await etcd.ask("maintenance/alarm", { action: "DEACTIVATE", ...alarm });
  assert.ok("revision" in (await ledger.commit(put("m/web", "small"), never)));
});

test("etcd that is compacted between two pages is read anew", { skip }, async () => {
  await using etcd = await Etcd.start(temporaryFolder(), { release: "3.5" });
  let compactions = 0;
  const between = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString();
      // The second page, of a revision: others have gone on meanwhile, and history was dropped.
      if (request.url === "/v3/kv/range" && /"revision"/u.test(body) && compactions === 0) {
        compactions += 1;
        await using other = ledgerAt(etcd.url("pages"));
        await other.commit(put("m/0001", "changed"), never);
        const { revision } = await other.read("m/0001", 0, never);
        await etcd.ask("kv/compaction", { revision: String(revision), physical: true });
      }
      const answer = await fetch(`http://127.0.0.1:${etcd.clientPorts[0]}${request.url}`, { method: "POST", body });
      response.writeHead(answer.status).end(await answer.text());
    })();
  });
  await new Promise<void>((resolve) => between.listen(0, "127.0.0.1", resolve));
  await using ledger = ledgerAt(`etcd+http://127.0.0.1:${(between.address() as AddressInfo).port}/pages`);
  const keys = Array.from({ length: 1_040 }, (_, index) => `m/${String(index).padStart(4, "0")}`);
  for (let at = 0; at < keys.length; at += 40)
    await ledger.commit({ ...put(""), put: keys.slice(at, at + 40).map((key) => ({ key, value: key })) }, never);
  const { entries } = await ledger.read("m/", 0, never);
  assert.equal(compactions, 1);
  assert.equal(entries.length, 1_040);
  assert.equal(entries.find(({ key }) => key === "m/0001")?.value, "changed");
  between.closeAllConnections();
  between.close();
});

test(
  "etcd of three: one that hangs is passed over, and what it missed is not read from it when it is back",
  { skip },
  async () => {
    await using etcd = await Etcd.start(temporaryFolder(), { release: "3.5", members: 3 });
    await using ledger = ledgerAt(etcd.url("hang"));
    await ledger.commit(put("m/web", "0"), never);
    for (const member of [0, 1, 2]) {
      etcd.pause(member);
      await ledger.commit(put("m/web", `without ${member}`), never);
      etcd.goOn(member);
      const [, alone = ""] = /(127\.0\.0\.1:\d+)/u.exec(etcd.url("hang").split(",")[member] ?? "") ?? [];
      await using one = ledgerAt(`etcd+http://${alone}/hang`);
      // It was not asked yet: while it catches up, a read waits for it.
      const read = async (): Promise<string | undefined> => (await one.read("m/", 0, never)).entries[0]?.value;
      assert.equal(await read().catch(read), `without ${member}`);
    }
    etcd.pause(0);
    etcd.pause(1);
    const minority = await refusal(ledger.read("m/", 0, never));
    assert.equal(minority.code, "store-unreachable");
    for (const member of [0, 1]) etcd.goOn(member);
  },
);

test("etcd of three a long way off: each takes its time, and none is given up for it", { skip }, async () => {
  await using etcd = await Etcd.start(temporaryFolder(), { release: "3.5", members: 3 });
  const relays = await Promise.all(etcd.clientPorts.map(async (port) => await Relay.start(port)));
  const url = `etcd+http://${relays.map(({ port }) => `127.0.0.1:${port}`).join(",")}/far`;
  // A round trip of 0.8 s, of the 2 s that a reader has for all of them.
  for (const relay of relays) relay.delayMs = 400;
  const [reader, writer] = [ledgerAt(url), ledgerAt(url)];
  const [read, written] = await Promise.all([reader.read("m/", 0, never), writer.commit(put("m/web"), never)]);
  assert.deepEqual(read.entries, []);
  assert.ok("revision" in written);
  for (const relay of relays) await relay[Symbol.asyncDispose]();
});

/** etcd with TLS, asked as its own tool asks it. */
class EtcdControl {
  readonly #port: number;
  readonly #http: HttpClient;

  constructor(port: number, pair: PairFiles) {
    const [roots = "", certificate = "", key = ""] = [pair.authority, pair.certificate, pair.key].map((file) =>
      readFileSync(file, "utf8"),
    );
    this.#port = port;
    this.#http = new HttpClient({ env: {}, clock: systemClock, trust: { roots, client: { certificate, key } } });
  }

  async ask(path: string, body: object): Promise<void> {
    const url = `https://127.0.0.1:${this.#port}/v3/${path}`;
    const { status, text } = await this.#http.send({ method: "POST", url, body: JSON.stringify(body) }, never);
    assert.equal(status, 200, `${path}: ${text}`);
  }
}
