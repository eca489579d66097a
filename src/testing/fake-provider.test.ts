import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "../system/fake-clock.ts";
import { FakeProvider } from "./fake-provider.ts";
import { virtuous } from "./vices.ts";

interface Shown {
  readonly id: string;
  readonly status: string;
  readonly address: string;
}

interface Page {
  readonly items: readonly Shown[];
  readonly next?: string;
}

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- says what the test expects
async function ask<Answer>(provider: FakeProvider, method: string, path: string, body?: object, token = "t") {
  const init = { method, headers: { authorization: `Bearer ${token}` } };
  const response = await fetch(provider.url + path, body === undefined ? init : { ...init, body: JSON.stringify(body) });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: (text === "" ? undefined : JSON.parse(text)) as Answer };
}

const web = { name: "web", mark: "mark-1" };

describe("resources", () => {
  test("are made, looked at, listed by mark and name, and deleted, of every kind", async () => {
    await using provider = await FakeProvider.start();
    const key = (await ask<Shown>(provider, "POST", "/keys", web)).body;
    const { status, body: instance } = await ask<Shown>(provider, "POST", "/instances", {
      ...web,
      size: "small",
      uses: [key.id],
    });
    assert.deepEqual([status, instance.status, instance.address], [201, "starting", ""]);
    provider.addForeign("instance", "web");
    assert.deepEqual(
      (await ask<Page>(provider, "GET", "/instances?mark=mark-1")).body.items.map(({ id }) => id),
      [instance.id],
    );
    assert.equal((await ask<Page>(provider, "GET", "/instances?name=web")).body.items.length, 2);
    assert.equal((await ask<{ size: string }>(provider, "GET", `/instances/${instance.id}`)).body.size, "small");
    assert.equal((await ask(provider, "GET", `/keys/${instance.id}`)).status, 404);
    assert.equal((await ask(provider, "DELETE", `/instances/${instance.id}`)).status, 204);
    assert.equal((await ask(provider, "DELETE", `/instances/${instance.id}`)).status, 404);
    assert.deepEqual(
      provider.list().map(({ kind }) => kind),
      ["key", "instance"],
    );
  });

  test("cannot go while something uses them, also something that is still being deleted", async () => {
    await using provider = await FakeProvider.start();
    provider.vices = { ...virtuous, deletingLooks: 1 };
    const key = (await ask<Shown>(provider, "POST", "/keys", web)).body.id;
    const instance = (await ask<Shown>(provider, "POST", "/instances", { ...web, uses: [key] })).body.id;
    await ask(provider, "DELETE", `/instances/${instance}`);
    assert.deepEqual((await ask<{ code: string }>(provider, "DELETE", `/keys/${key}`)).body.code, "in-use");
    assert.equal((await ask<Shown>(provider, "GET", `/instances/${instance}`)).body.status, "deleting");
    assert.equal((await ask(provider, "GET", `/instances/${instance}`)).status, 404);
    assert.equal((await ask(provider, "DELETE", `/keys/${key}`)).status, 204);
  });

  test("with the same mark and name are the same; of others each is another", async () => {
    await using provider = await FakeProvider.start();
    const made = [web, web, { ...web, name: "db" }, { name: "web", mark: "" }, { name: "web", mark: "" }];
    const ids = [];
    for (const wish of made) ids.push((await ask<Shown>(provider, "POST", "/instances", wish)).body.id);
    assert.equal(ids[0], ids[1]);
    assert.equal(new Set(ids).size, 4);
  });

  test("come in pages", async () => {
    await using provider = await FakeProvider.start();
    for (const name of ["a", "b", "c", "d"]) await ask(provider, "POST", "/instances", { name, mark: "m" });
    const first = (await ask<Page>(provider, "GET", "/instances?mark=m")).body;
    assert.equal(first.items.length, 3);
    const second = (await ask<Page>(provider, "GET", first.next ?? "")).body;
    assert.deepEqual([second.items.length, second.next], [1, undefined]);
  });

  test("an instance runs after a look, and has another address each time it is started", async () => {
    await using provider = await FakeProvider.start();
    const { id } = (await ask<Shown>(provider, "POST", "/instances", web)).body;
    const look = async () => (await ask<Shown>(provider, "GET", `/instances/${id}`)).body;
    assert.equal((await look()).status, "starting");
    const { status, address } = await look();
    assert.deepEqual([status, address], ["running", "192.0.2.2"]);
    await ask(provider, "POST", `/instances/${id}/start`);
    assert.equal((await look()).address, address, "it ran already");
    await ask(provider, "POST", `/instances/${id}/stop`);
    assert.deepEqual([(await look()).status, (await look()).address], ["stopped", ""]);
    await ask(provider, "POST", `/instances/${id}/start`);
    await look();
    assert.equal((await look()).address, "192.0.2.3");
  });

  test("are refused where there is no room, and to those without the token", async () => {
    await using provider = await FakeProvider.start();
    provider.resources.room.set("instance", 0);
    const { status, body } = await ask<{ code: string }>(provider, "POST", "/instances", web);
    assert.deepEqual([status, body.code], [503, "no-capacity"]);
    provider.token = "secret";
    assert.equal((await ask(provider, "GET", "/instances")).status, 401);
    assert.equal((await ask(provider, "GET", "/instances", undefined, "secret")).status, 200);
    assert.equal((await ask<{ code: string }>(provider, "POST", "/instances", { mark: "m" }, "secret")).body.code, "bad-request");
  });
});

describe("vices", () => {
  test("what is new is not in the first lists, or not for a while, but known by its identifier", async () => {
    const clock = new FakeClock();
    await using provider = await FakeProvider.start({ clock });
    const listed = async () => (await ask<Page>(provider, "GET", "/instances")).body.items.length;
    provider.vices = { ...virtuous, hiddenLists: 2 };
    const { id } = (await ask<Shown>(provider, "POST", "/instances", web)).body;
    assert.equal((await ask(provider, "GET", `/instances/${id}`)).status, 200);
    assert.deepEqual([await listed(), await listed(), await listed()], [0, 0, 1]);
    provider.vices = { ...virtuous, hiddenMs: 1_000 };
    await ask(provider, "POST", "/instances", { ...web, name: "db" });
    assert.equal(await listed(), 1);
    await clock.advance(1_000);
    assert.equal(await listed(), 2);
  });

  test("planned troubles come once each, in their order", async () => {
    await using provider = await FakeProvider.start();
    const retryAfter = { "retry-after": "7" };
    provider.next("POST /instances", { kind: "unheard" });
    provider.next("POST /instances", { kind: "refused", status: 429, code: "too-many", headers: retryAfter });
    provider.next("POST /instances", { kind: "failed-after", status: 500 });
    provider.next("POST /instances", { kind: "lost" });
    await assert.rejects(ask(provider, "POST", "/instances", web));
    const { status, headers } = await ask(provider, "POST", "/instances", web);
    assert.deepEqual([status, headers.get("retry-after"), provider.list().length], [429, "7", 0]);
    assert.equal((await ask(provider, "POST", "/instances", web)).status, 500);
    assert.equal(provider.list().length, 1);
    await assert.rejects(ask(provider, "POST", "/instances", { ...web, name: "db" }));
    assert.equal(provider.list().length, 2);
    assert.equal((await ask(provider, "POST", "/instances", web)).status, 201);
    assert.equal(provider.count("POST"), 5);
    assert.equal(provider.count(/instances$/u), 5);
  });

  test("a request that is heard twice makes two of what bears no mark", async () => {
    await using provider = await FakeProvider.start();
    provider.next("POST", { kind: "doubled" }, 2);
    await ask(provider, "POST", "/instances", web);
    await ask(provider, "POST", "/instances", { name: "web", mark: "" });
    assert.equal(provider.list().length, 3);
  });

  test("by chance, each as often as it was told to", async () => {
    const wishes = Array.from({ length: 40 }, (_, number) => ({ name: `n${number}`, mark: "" }));
    const outcomesWith = async (vices: object): Promise<(number | "none")[]> => {
      let seed = 1;
      // A generator of Park and Miller: the same each time.
      const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
      await using provider = await FakeProvider.start({ random });
      provider.vices = { ...virtuous, ...vices };
      const outcomes: (number | "none")[] = [];
      for (const wish of wishes)
        outcomes.push(
          await ask(provider, "POST", "/keys", wish).then(
            (got) => got.status,
            () => "none",
          ),
        );
      return outcomes;
    };
    const shareOf = (outcomes: readonly unknown[], wanted: unknown): number =>
      outcomes.filter((one) => one === wanted).length / outcomes.length;
    for (const [vice, outcome] of [
      ["tooMany", 429],
      ["faults", 500],
      ["lostReplies", "none"],
    ] as const) {
      assert.ok(Math.abs(shareOf(await outcomesWith({ [vice]: 0.5 }), outcome) - 0.5) < 0.25, vice);
      assert.equal(shareOf(await outcomesWith({ [vice]: 1 }), outcome), 1, vice);
    }
    assert.equal(shareOf(await outcomesWith({}), 201), 1);
  });

  test("a held request is carried out when it is released, also when its client is gone", async () => {
    await using provider = await FakeProvider.start();
    const release = provider.hold("POST /instances");
    const client = new AbortController();
    const arrived = new Promise<void>((resolve) => (provider.onRequest = () => resolve()));
    const asked = fetch(`${provider.url}/instances`, { method: "POST", body: JSON.stringify(web), signal: client.signal });
    await arrived;
    client.abort();
    await assert.rejects(asked);
    assert.equal(provider.list().length, 0);
    release();
    await provider.settled();
    assert.equal(provider.list().length, 1);
  });

  test("slow ones answer in their own time", async () => {
    const clock = new FakeClock();
    await using provider = await FakeProvider.start({ clock, random: () => 0.5 });
    provider.vices = { ...virtuous, latencyMs: 10_000 };
    const arrived = new Promise<void>((resolve) => (provider.onRequest = () => resolve()));
    let answered = false;
    const asked = ask(provider, "GET", "/instances").then(() => (answered = true));
    while (provider.requests.length === 0) await clock.advance(1);
    await clock.advance(4_000);
    assert.equal(answered, false);
    await clock.advance(1_000);
    await arrived;
    await asked;
  });
});

test("tells whoever watches its steps what is about to be changed, and what was", async () => {
  const steps: string[] = [];
  await using provider = await FakeProvider.start({ step: async (what) => void steps.push(what) });
  await ask(provider, "POST", "/keys", web);
  await ask(provider, "GET", "/keys");
  assert.deepEqual(steps, ["before POST /keys", "after POST /keys"]);
});
