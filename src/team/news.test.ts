/** What others changed, on its way to this computer: much at once, and interrupted. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../system/fake-clock.ts";
import { changed, create, found, put, request, TeamScene } from "./testing/team-scene.ts";

test("many new machines come together, each as one alone does, and what is in their way stays", async () => {
  const scene = new TeamScene();
  const alice = await scene.person("alice");
  const names = Array.from({ length: 60 }, (_, index) => `web-${index}`);
  for (const name of names) {
    const store = await create(alice, name);
    await using _lock = await store.lockMachine(name, request);
    put(alice, `machines/${name}/server.pem`, `server of ${name}`);
  }
  const bob = await scene.person("bob");
  put(bob, "certs/key.pem", "bob's");
  put(bob, "machines/web-7/config.json", "{}");
  assert.deepEqual((await bob.open().list()).toSorted(), names.toSorted());
  assert.equal(found(bob, "machines/web-7/config.json"), "{}");
  assert.match(
    bob.said.join("\n"),
    /"web-7" of the team is not shown as the team has it: a machine of this computer has that name/u,
  );
  assert.equal(found(bob, "machines/web-3/server.pem"), "server of web-3");
  assert.equal(found(bob, "machines/web-3/key.pem"), "bob's");
  const config = found(alice, "machines/web-3/config.json") ?? "";
  assert.equal(found(bob, "machines/web-3/config.json"), config.replaceAll(alice.root, bob.root));
  const [his, hers] = await Promise.all([bob, alice].map(async ({ context }) => await context.state.item("s/machines/web-3/")));
  assert.deepEqual({ ...his, working: false }, hers);
  const store = bob.open();
  {
    await using _lock = await store.lockMachine("web-3", request);
    await store.save({ ...(await store.load("web-3")), driverName: "bob's" });
  }
  assert.equal((await alice.open().load("web-3")).driverName, "bob's");
});

test("who is killed while a change comes here is in nobody's way afterwards", async () => {
  const scene = new TeamScene();
  const [alice, bob] = [await scene.person("alice"), await scene.person("bob")];
  const store = await create(alice);
  await bob.open().list();
  const { state } = bob.context;
  const [head, item] = [await state.head(), await state.item("s/machines/web/")];
  assert.ok(head !== undefined);
  {
    await using _lock = await store.lockMachine("web", request);
    put(alice, "machines/web/known_hosts", "web ssh-ed25519 AAAA\n");
    await changed(store, "other");
  }
  const both = async (driverName: string): Promise<void> => {
    const theirs = bob.open();
    assert.equal((await theirs.load("web")).driverName, driverName);
    await using _lock = await theirs.lockMachine("web", request);
  };
  // All files came, and it was not noted any more.
  await bob.open().list();
  await state.setHead(head);
  await state.setItem("s/machines/web/", item);
  await both("other");
  await state.setHead(head);
  await state.setItem("s/machines/web/", undefined);
  await both("other");
  // Some files came, and the others are as they were.
  {
    await using _lock = await store.lockMachine("web", request);
    put(alice, "machines/web/known_hosts", "web ssh-ed25519 BBBB\n");
    await changed(store, "third");
  }
  const { setItem } = state;
  state.setItem = async (key, noted) => {
    await setItem.call(state, key, noted);
    if (noted?.working === true) throw new Error("killed");
  };
  await assert.rejects(bob.open().list(), /killed/u);
  state.setItem = setItem;
  put(bob, "machines/web/known_hosts", "web ssh-ed25519 BBBB\n");
  await both("third");
  assert.doesNotMatch(bob.said.join("\n"), /not shown/u);
});

test("a clock that was wrong for a while hides nothing afterwards", async () => {
  const clock = new FakeClock();
  const scene = new TeamScene(clock);
  const [alice, bob] = [await scene.person("alice"), await scene.person("bob")];
  const store = await create(alice);
  const { state } = bob.context;
  const inADay = new Date(clock.now().getTime() + 86_400_000);
  await state.setAway(inADay);
  assert.deepEqual(await bob.open().list(), ["web"], "it is asked again");
  const head = await state.head();
  assert.ok(head !== undefined);
  await state.setHead({ revision: head.revision + 100, at: inADay.toISOString() });
  {
    await using _lock = await store.lockMachine("web", request);
    await changed(store, "since");
  }
  assert.equal((await bob.open().load("web")).driverName, "since");
});
