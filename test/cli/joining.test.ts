/** A store that has machines joins a team and leaves it again: what was there goes on answering. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../src/system/testing/folder.ts";
import { Etcd, etcdMissing } from "../team/etcd.ts";
import { openCommandLine, type CommandLine } from "./command-line.ts";
import { engineFor } from "./engine-fixture.ts";
import { addSshMachine } from "./ssh-machines.ts";

function textOf({ store }: CommandLine, file: string): string | undefined {
  const named = path.join(store, file);
  return existsSync(named) ? readFileSync(named, "utf8") : undefined;
}

test(
  "a store with machines joins, leaves and joins again, and their engines answer all the time",
  { skip: etcdMissing("3.5") },
  async () => {
    await using etcd = await Etcd.start(temporaryFolder(), { release: "3.5" });
    await using alice = await openCommandLine();
    await using bob = await openCommandLine();
    const url = etcd.url("fleet");
    await alice.ok(`store init ${url} --name alice`);
    await alice.ok("create -d none --url tcp://127.0.0.1:1 web");

    await bob.ok("create -d none --url tcp://127.0.0.1:1 given");
    await using engine = await engineFor(bob);
    const server = { hostName: "127.0.0.1", port: 1, userName: "root", identityFile: "/nowhere" } as never;
    await addSshMachine(bob, server, { name: "box", enginePort: Number(new URL(engine.url).port) });
    await addSshMachine(bob, server, { name: "quiet", extra: { EngineTransport: "ssh" } });
    const answers = async (): Promise<string> => await bob.ok("env --shell bash box");
    await answers();
    const before = {
      authority: textOf(bob, "certs/ca.pem"),
      client: textOf(bob, "certs/cert.pem"),
      record: await bob.recordText("box"),
    };
    const inviting = async (): Promise<Record<string, string>> => ({ INVITATION: (await alice.ok("store invite bob")).trim() });
    const join = ["store", "join", url, "--token", "env:INVITATION"];
    const other = await bob.run([...join, "--name", "carol"], { env: await inviting() });
    assert.equal(other.code, 2);

    const env = await inviting();
    const asked = await bob.run(join, { env });
    assert.equal(asked.code, 2);
    assert.match(asked.stderr, /^box, given have certificates of this store's own authority; /mu);
    assert.match(asked.stderr, /kept in \S+\/store\/certs-before-fleet[^]*Nobody answered whether to join[^]*give -y/u);
    assert.deepEqual([textOf(bob, "team.json"), textOf(bob, "certs/ca.pem")], [undefined, before.authority]);

    const joined = await bob.run([...join, "-y"], { env });
    assert.equal(joined.code, 0, joined.stderr);
    assert.match(joined.stderr, /kept in \S+\/certs-before-fleet, and box, given, quiet go on with it/u);
    assert.equal(textOf(bob, "certs/ca.pem"), textOf(alice, "certs/ca.pem"));
    assert.equal(textOf(bob, "certs-before-fleet/ca.pem"), before.authority);
    await answers();
    assert.match(await bob.ok("config box"), /--tlscacert="\S+\/certs-before-fleet\/ca\.pem"/u);
    await bob.ok("create -d none --url tcp://127.0.0.1:1 new");
    assert.doesNotMatch(await bob.recordText("new"), /certs-before/u);

    // Of an engine that others look after, the record alone is told, and nobody is asked.
    await bob.ok("store push given");
    assert.doesNotMatch((await alice.ok("ls -q")) && (await alice.recordText("given")), /certs-before/u);
    const team = { given: await bob.recordText("given"), web: await bob.recordText("web") };

    const left = await bob.run(["store", "leave"]);
    assert.match(
      left.stderr,
      /has the certificate authority again that it had before\. The team's is kept in \S+\/certs-of-fleet, for /u,
    );
    assert.deepEqual([textOf(bob, "certs/ca.pem"), textOf(bob, "certs/cert.pem")], [before.authority, before.client]);
    assert.equal(await bob.recordText("box"), before.record);
    assert.equal(existsSync(path.join(bob.store, "certs-before-fleet")), false);
    assert.equal(textOf(bob, "certs-of-fleet/ca.pem"), textOf(alice, "certs/ca.pem"));
    assert.match(await bob.ok("config box"), /--tlscacert="\S+\/certs\/ca\.pem"/u);
    await answers();

    const again = await bob.run(["store", "join", url, "-y"]);
    assert.equal(again.code, 0, again.stderr);
    assert.doesNotMatch(again.stderr, /is not shown as the team has it/u);
    assert.deepEqual({ given: await bob.recordText("given"), web: await bob.recordText("web") }, team);
    await answers();
    await bob.ok("label web team=b");
    assert.match(await alice.ok("label web"), /team=b/u);
  },
);
