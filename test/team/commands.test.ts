/** The commands on a team's store, by the program, for two people at real databases. */
import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../src/system/testing/folder.ts";
import { openCommandLine, type CommandLine } from "../cli/command-line.ts";
import { misfits, type Schema } from "../support/json-schema.ts";
import { Etcd, etcdMissing } from "./etcd.ts";
import { Postgres, postgresMissing } from "./postgres.ts";

const facts = (JSON.parse(readFileSync("docs/facts.schema.json", "utf8")) as Schema).properties ?? {};

async function told<T>(shell: CommandLine, fact: string, words: string): Promise<T> {
  const value = JSON.parse(await shell.ok(`--output json ${words}`)) as T;
  assert.deepEqual(misfits(value, facts[fact] as Schema), [], words);
  return value;
}

async function names(shell: CommandLine): Promise<string[]> {
  return (await shell.ok("ls -q")).split("\n").filter((name) => name !== "");
}

/** Resolves once a member added them, which the other does with what the first one says. */
async function join(joiner: CommandLine, words: string, member: CommandLine): Promise<void> {
  const joining = joiner.start(words.split(" "));
  const ended = new Promise<number | null>((resolve) => joining.once("close", resolve));
  let said = "";
  for await (const chunk of joining.stderr.setEncoding("utf8")) {
    said += String(chunk);
    const add = /(store add \S+ age1\S+)/u.exec(said)?.[1];
    if (add !== undefined) {
      await member.ok(add);
      break;
    }
  }
  joining.stderr.resume();
  joining.stdout.resume();
  assert.equal(await ended, 0, said);
}

test("two people share a store in etcd, from the first init to the last leave", { skip: etcdMissing("3.5") }, async () => {
  await using etcd = await Etcd.start(temporaryFolder(), { release: "3.5" });
  await using alice = await openCommandLine();
  await using bob = await openCommandLine();
  const url = etcd.url("fleet");
  assert.deepEqual(await told(alice, "store", "store"), { folder: alice.store });

  await told(alice, "store init", `store init ${url} --name alice`);
  assert.equal(statSync(path.join(alice.folder, "home/.config/docker-machine/identity")).mode & 0o777, 0o600);
  await alice.ok("create -d none --url tcp://127.0.0.1:1 web");
  await bob.ok("create -d none --url tcp://127.0.0.1:1 before");
  await join(bob, `store join ${url} --name bob -y`, alice);
  assert.deepEqual(await names(bob), ["before", "web"]);
  assert.equal((await bob.ok("url web")).trim(), "tcp://127.0.0.1:1");
  const look = await told<{ member: string; recipient: string; machines: number; members: { name: string }[] }>(
    bob,
    "store",
    "store",
  );
  const twice = await alice.run(["store", "add", "carol", look.recipient]);
  assert.match(twice.stderr, /"bob" is in the team with that recipient already/u);
  assert.deepEqual([look.member, look.machines, look.members.map(({ name }) => name)], ["bob", 1, ["alice", "bob"]]);
  const certificates = [alice, bob].map(({ store }) => readFileSync(path.join(store, "certs/ca.pem"), "utf8"));
  assert.equal(certificates[0], certificates[1], "one authority");

  assert.deepEqual(await names(alice), ["web"], "what was there before is nobody else's");
  await bob.ok("store push before");
  assert.deepEqual(await names(alice), ["before", "web"]);
  await alice.ok("label before team=a");
  assert.match(await bob.ok("label before"), /team=a/u);

  // As an editor does it.
  writeFileSync(bob.recordPath("web"), (await bob.recordText("web")).replace('"DriverName": "none"', '"DriverName": "edited"'));
  await alice.ok("label web team=a");
  const refused = await bob.run(["label", "web", "team=b"]);
  assert.match(refused.stderr, /"web" was changed on this computer, and .+ changed "web" in the team's store at/u);
  await bob.ok("store pull web");
  assert.match(await bob.recordText("web"), /"DriverName": "none"/u);

  const log = await told<{ member: string; command: string; outcome: string }[]>(bob, "store log", "store log web --since 1h");
  assert.deepEqual(
    log.map(({ member, command, outcome }) => `${member}: ${command} ${outcome}`),
    ["alice: create web done", "alice: label web done"],
  );
  assert.match(await bob.ok("store log"), /^WHEN \(UTC\) .*WHO .*WHAT .*OUTCOME\n.* alice \(.+@.+\) +store init +done$/mu);
  await using runner = await openCommandLine();
  const invited = await told<{ token: string }>(alice, "store invite", "store invite ci --for 10m");
  const open = await runner.run(["store", "join", url, "--token", invited.token]);
  assert.match(open.stderr, /--token takes no secret itself/u);
  assert.ok(!open.stderr.includes(invited.token));
  await runner.ok(`store join ${url} --token env:INVITATION`, { env: { INVITATION: invited.token } });
  assert.deepEqual(await names(runner), ["before", "web"]);
  assert.deepEqual((await told<{ member: string }>(runner, "store", "store")).member, "ci");
  const probes = await told<{ passed: boolean }[]>(bob, "store check", "store check");
  assert.deepEqual(new Set(probes.map(({ passed }) => passed)), new Set([true]));
  await told(alice, "store remove", "store remove bob");
  const outside = await bob.run(["ls", "-q"]);
  assert.notEqual(outside.code, 0);
  assert.match(outside.stderr, /opens nothing of the team's store/u);
  await told(bob, "store leave", "store leave");
  assert.deepEqual(await names(bob), ["before", "web"], "what was here stays");
  await alice.ok("rm -y before web");
});

test("a store in PostgreSQL is joined with a password that is only referred to", { skip: postgresMissing }, async () => {
  const folder = temporaryFolder();
  await using postgres = await Postgres.start(folder);
  await using alice = await openCommandLine();
  const file = path.join(alice.folder, "password");
  writeFileSync(file, postgres.password);
  const init = `store init ${postgres.url("fleet")} --user alice --password`;
  const open = await alice.run([...init.split(" "), "canary-password"]);
  assert.match(open.stderr, /--password takes no secret itself/u);
  assert.doesNotMatch(open.stderr, /canary/u);
  await told(alice, "store init", `${init} file:${file}`);
  assert.doesNotMatch(readFileSync(path.join(alice.store, "team.json"), "utf8"), new RegExp(postgres.password, "u"));
  await alice.ok("create -d none --url tcp://127.0.0.1:1 web");
  await postgres.stop();
  const away = await alice.run(["ls", "-q"]);
  assert.deepEqual([away.code, away.stdout], [0, "web\n"]);
  assert.match(away.stderr, /The team's store is away, what is shown is \d+ s old/u);
  const change = await alice.run(["label", "web", "a=b"]);
  assert.notEqual(change.code, 0);
  assert.match(change.stderr, /cannot be reached/u);
});

test("what cannot hold a team's store is refused with the reason, and nothing is left of it", async () => {
  await using alice = await openCommandLine();
  for (const [url, why] of [
    ["s3://bucket/fleet", /storage of objects cannot hold locks/u],
    ["etcd+http://db.example.com/fleet", /without TLS only a database of this computer is spoken to/u],
    ["postgres://alice:canary@localhost/db/fleet", /it names a user/u],
    ["mysql://localhost/fleet", /of no form that this version knows/u],
    ["http://localhost:2379", /of no form that this version knows\nHint: A team's store is at etcd:/u],
    ["etcd://localhost:2379", /has no name behind the host/u],
    ["etcd://localhost:2379/a/b", /behind the hosts is one name/u],
    ["postgres://localhost/fleet", /behind the host are the database and the store's name/u],
  ] as const) {
    const { code, stderr } = await alice.run(["store", "init", url]);
    assert.notEqual(code, 0);
    assert.match(stderr, why);
    assert.doesNotMatch(stderr, /canary/u);
  }
  const spaced = await alice.run(["store", "init", "etcd+http://localhost:1/fleet", "--name", "al ice"]);
  assert.equal(spaced.code, 2);
  assert.match(spaced.stderr, /"al ice" cannot be a member's name\nHint: Give one with --name: letters/u);
  assert.deepEqual(await told(alice, "store", "store"), { folder: alice.store });
});
