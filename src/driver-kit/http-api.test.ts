import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { isMachineError } from "../errors/machine-error.ts";
import type { ProgressEvent } from "../log/event.ts";
import { FakeClock } from "../system/fake-clock.ts";
import { HttpClient } from "../system/http-request.ts";
import { systemClock, type Clock } from "../system/clock.ts";
import { HttpApi, type ApiRequest, type HttpApiOptions } from "./http-api.ts";
import { kindOfStatus, type FailureRow } from "./provider-error.ts";

type Treat = (request: IncomingMessage, response: ServerResponse) => void;

const signal = AbortSignal.timeout(60_000);
const token = "tok-1234567890";

/** A provider that treats its n-th request as told; the last way is repeated. */
class Provider implements AsyncDisposable {
  readonly requests: string[] = [];
  readonly authorizations: (string | undefined)[] = [];
  ways: readonly Treat[] = [];
  readonly #server = createServer((request, response) => {
    const treat = this.ways[this.requests.length] ?? this.ways.at(-1);
    this.requests.push(`${request.method} ${request.url}`);
    this.authorizations.push(request.headers.authorization);
    request.resume().on("end", () => treat?.(request, response));
  });

  static async start(...ways: Treat[]): Promise<Provider> {
    const provider = new Provider();
    provider.ways = ways;
    provider.#server.on("connection", (socket: Socket) => socket.on("error", () => {}));
    await new Promise<void>((resolve) => provider.#server.listen(0, "127.0.0.1", resolve));
    return provider;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function answer(status: number, body?: unknown, headers: Record<string, string> = {}): Treat {
  return (_request, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body));
  };
}

const reset: Treat = (_request, response) => void (response.socket as Socket).resetAndDestroy();
const half: Treat = (_request, response) =>
  response.writeHead(200, { "content-length": 9 }).write("[1", () => response.destroy());

/** Pauses are written down and over at once; bounds on answers are real. */
function hurried(pauses: number[]): Clock {
  const fake = new FakeClock();
  return {
    now: () => fake.now(),
    monotonicMs: () => fake.monotonicMs(),
    sleep: async (ms, ended) => {
      // The bounds of one request and its connection.
      if (ms === 60_000 || ms === 20_000) return await systemClock.sleep(ms, ended);
      ended?.throwIfAborted();
      pauses.push(ms);
      await fake.advance(ms);
    },
  };
}

interface Rig {
  readonly api: HttpApi;
  readonly pauses: number[];
  readonly events: ProgressEvent[];
  readonly secrets: string[];
}

const failures: readonly FailureRow[] = [
  { codes: ["locked"], kind: "busy", sentence: "{what} is being worked on" },
  { codes: ["full"], kind: "capacity", sentence: "{region} is full" },
];

function rig(baseUrl: string, options: Partial<HttpApiOptions> = {}, clock?: Clock): Rig {
  const [pauses, events, secrets]: [number[], ProgressEvent[], string[]] = [[], [], []];
  const own = clock ?? hurried(pauses);
  const context = {
    http: new HttpClient({ env: {}, clock: own, mostBytes: 100_000 }),
    clock: own,
    report: (event: ProgressEvent) => void events.push(event),
    secret: (value: string) => void secrets.push(value),
  };
  const api = new HttpApi(context, {
    provider: "Cloud",
    baseUrl,
    authorize: async () => await Promise.resolve({ authorization: `Bearer ${token}` }),
    explain: ({ status, text }) => {
      const { id = "", message = text } = /^\{/u.test(text) ? (JSON.parse(text) as { id?: string; message?: string }) : {};
      return { kind: kindOfStatus(status), code: id, message };
    },
    failures,
    facts: { region: "ams3", what: "It" },
    random: () => 0.5,
    ...options,
  });
  return { api, pauses, events, secrets };
}

const get: ApiRequest = { method: "GET", path: "/things" };
const post: ApiRequest = { method: "POST", path: "/things", body: { name: "a" } };

describe("an answer", () => {
  test("is given as its JSON; one without a body as undefined; what is not there as undefined by find alone", async () => {
    await using provider = await Provider.start(answer(200, { a: [1] }), answer(204), answer(404, { id: "not_found" }));
    const { api } = rig(provider.url);
    assert.deepEqual(await api.send(get, signal), { a: [1] });
    assert.equal(await api.send({ method: "DELETE", path: "/things/1" }, signal), undefined);
    assert.equal(await api.find(get, signal), undefined);
    await assert.rejects(api.send(get, signal), { code: "provider-not-found" });
    assert.equal(provider.requests.length, 4);
  });

  test("find passes over nothing but what is not there", async () => {
    await using provider = await Provider.start(answer(403), answer(200, {}));
    const { api } = rig(provider.url);
    await assert.rejects(api.find(get, signal), { code: "provider-permission" });
    const missing = rig(provider.url, {
      authorize: async () => await (rig(provider.url).api.send({ ...get, path: "/auth" }, signal) as Promise<never>),
    });
    provider.ways = [answer(404)];
    await assert.rejects(missing.api.find(get, signal), { code: "provider-not-found" });
  });

  test("the query is written out: lists repeated, undefined left out", async () => {
    await using provider = await Provider.start(answer(200, {}));
    const query = { tag: ["a b", "c&d"], page: 2, all: true, none: undefined };
    await rig(`${provider.url}/v2/`).api.send({ ...get, query }, signal);
    assert.deepEqual(provider.requests, ["GET /v2/things?tag=a+b&tag=c%26d&page=2&all=true"]);
  });

  test("that is no JSON, or a redirect, or endless, is said to be one, and nothing is followed", async () => {
    await using provider = await Provider.start(answer(200, "<html>login</html>"));
    const { api } = rig(provider.url);
    await assert.rejects(
      api.send(get, signal),
      (error) => isMachineError(error, "provider-error") && /not JSON/u.test(error.message),
    );
    provider.ways = [answer(302, "", { location: "https://elsewhere.test/login?token=hush" })];
    await assert.rejects(api.send(get, signal), /leads to https:\/\/elsewhere\.test\/login\?token=\[redacted\]/u);
    provider.ways = [answer(200, "x".repeat(200_000))];
    await assert.rejects(
      api.send(get, signal),
      (error) => isMachineError(error, "provider-error") && /100000 bytes/u.test(error.message),
    );
    assert.equal(provider.requests.length, 3);
  });
});

describe("pages", () => {
  const reader = {
    items: (page: unknown) => (page as { items: number[] }).items,
    next: (page: unknown) => (page as { next?: string }).next,
  };

  test("are asked for as they are wanted, by path or by address", async () => {
    await using provider = await Provider.start();
    const https = provider.url.replace("http:", "https:");
    provider.ways = [
      answer(200, { items: [1, 2], next: "/things?page=2" }),
      answer(200, { items: [3], next: `${https}/things?page=3` }),
      answer(200, { items: [4], next: "" }),
    ];
    const { api } = rig(provider.url);
    const all: number[] = [];
    for await (const item of api.pages<number>({ ...get, query: { per_page: 2 } }, reader, signal)) all.push(item);
    assert.deepEqual(all, [1, 2, 3, 4]);
    assert.deepEqual(provider.requests, ["GET /things?per_page=2", "GET /things?page=2", "GET /things?page=3"]);
    for await (const item of api.pages<number>(get, { ...reader, next: () => "/things?page=9" }, signal)) {
      assert.equal(item, 4);
      break;
    }
    assert.equal(provider.requests.length, 4);
  });

  test("that lead to another host, or round and round, are not followed", async () => {
    await using elsewhere = await Provider.start(answer(200, { items: [] }));
    await using provider = await Provider.start(answer(200, { items: [1], next: `${elsewhere.url}/things` }));
    const { api } = rig(provider.url);
    const drain = async (): Promise<void> => {
      for await (const _item of api.pages<number>(get, reader, signal));
    };
    await assert.rejects(drain(), /leads to another host/u);
    assert.deepEqual(elsewhere.requests, []);
    provider.ways = [answer(200, { items: [1], next: "/things" })];
    await assert.rejects(drain(), /no end/u);
  });
});

describe("credentials", () => {
  test("are asked for again once after a 401, and go on to be used", async () => {
    await using provider = await Provider.start(answer(401), answer(200, "1"));
    const asked: boolean[] = [];
    const { api, pauses } = rig(provider.url, {
      authorize: async (_signal, refused) => {
        asked.push(refused);
        return await Promise.resolve({ authorization: refused ? "Bearer new-token" : `Bearer ${token}` });
      },
    });
    assert.equal(await api.send(post, signal), 1);
    assert.deepEqual([asked, provider.authorizations, pauses], [[false, true], [`Bearer ${token}`, "Bearer new-token"], []]);
    provider.ways = [answer(401, { message: "Unable to authenticate you" })];
    await assert.rejects(api.send(post, signal), {
      code: "provider-credentials",
      message: /does not accept the credentials: Unable/u,
    });
    assert.equal(provider.requests.length, 4);
  });

  test("are registered as secrets, and stand in no event and no error", async () => {
    await using provider = await Provider.start(
      answer(403, { message: "no" }, { "x-request-id": "r-77" }),
      half,
      answer(200, "1"),
    );
    const { api, events, secrets } = rig(provider.url);
    const query = { name: "web", access_token: "hush-1", "X-Amz-Signature": "hush-2" };
    const body = { password: "hush-3" };
    await assert.rejects(api.send({ ...post, query, body }, signal), (error) => !JSON.stringify(error).includes("hush"));
    await api.send(get, signal);
    assert.ok(secrets.includes(token) && secrets.includes(`Bearer ${token}`));
    const text = JSON.stringify(events);
    assert.doesNotMatch(text, /hush|tok-123/u);
    const lines = events.map((event) => (event.type === "log" && event.level === "debug" ? event.text : ""));
    assert.equal(lines.length, 3);
    assert.match(
      lines[0] ?? "",
      /^Cloud: POST http:\/\/127\.0\.0\.1:\d+\/things\?name=web&access_token=\[redacted\]&X-Amz-Signature=\[redacted\]: 403, request r-77, \d+ ms$/u,
    );
    assert.match(lines[1] ?? "", /: no answer \(broken\), \d+ ms$/u);
  });
});

describe("further attempts", () => {
  test("a fault of the provider and a lost answer: for what is safe, with growing pauses", async () => {
    await using provider = await Provider.start(answer(500), reset, half, answer(503), answer(200, "1"));
    const { api, pauses } = rig(provider.url);
    assert.equal(await api.send(get, signal), 1);
    assert.deepEqual(pauses, [250, 500, 1_000, 2_000]);
    provider.ways = [answer(502, "<h1>Bad gateway</h1>")];
    await assert.rejects(api.send({ ...post, safe: true }, signal), { code: "provider-error", message: /Bad gateway/u });
    assert.equal(provider.requests.length, 5 + 6);
    await assert.rejects(api.send({ ...get, safe: false }, signal), { code: "provider-error" });
    assert.equal(provider.requests.length, 5 + 6 + 1);
  });

  test("the pause never passes its longest, and attempts can be fewer", async () => {
    await using provider = await Provider.start(answer(500));
    const { api, pauses } = rig(provider.url, { retry: { attempts: 9 }, random: () => 0.999 });
    await assert.rejects(api.send(get, signal));
    assert.deepEqual(pauses.map(Math.round), [500, 999, 1_998, 3_996, 7_992, 15_984, 19_980, 19_980]);
    await assert.rejects(api.send({ ...get, retry: { attempts: 1 } }, signal));
    assert.equal(provider.requests.length, 9 + 1);
  });

  test("Retry-After is heeded, in seconds and as a date, for whatever was refused so", async () => {
    const date = new Date(new FakeClock().now().getTime() + 90_000 + 7_000).toUTCString();
    await using provider = await Provider.start(
      answer(429, {}, { "retry-after": "7" }),
      answer(429, {}, { "retry-after": date }),
      answer(429, {}, { "retry-after": "soon" }),
      answer(201, "1"),
    );
    const { api, pauses, events } = rig(provider.url);
    assert.equal(await api.send(post, signal), 1);
    assert.deepEqual(pauses, [7_000, 90_000, 1_000]);
    const info = events.filter((event) => event.type === "log" && event.level === "info");
    assert.deepEqual(
      info.map((event) => (event.type === "log" ? event.text : "")),
      ["Cloud asks to wait for 90 s before the next request"],
    );
  });

  test("a pause that would end after the call's bound is not begun: it is said how long", async () => {
    await using provider = await Provider.start(answer(429, { message: "slow down" }, { "retry-after": "3600" }));
    const { api, pauses } = rig(provider.url);
    await assert.rejects(api.send(get, signal), { code: "provider-rate-limit", hint: /asks to wait for 3600 s/u });
    assert.deepEqual([provider.requests.length, pauses], [1, []]);
  });

  test("what the table calls busy is asked again, also a POST; what it calls full is not", async () => {
    await using provider = await Provider.start(answer(422, { id: "locked" }), answer(201, "1"), answer(422, { id: "full" }));
    const { api } = rig(provider.url);
    assert.equal(await api.send(post, signal), 1);
    await assert.rejects(api.send({ ...post, facts: { region: "nyc1" } }, signal), {
      code: "provider-capacity",
      message: /^nyc1 is full/u,
    });
    assert.equal(provider.requests.length, 3);
  });

  test("a provider that is not there yet is tried again whatever is asked", async () => {
    const gone = await Provider.start(answer(200, "1"));
    const { url } = gone;
    await gone[Symbol.asyncDispose]();
    const { api, pauses } = rig(url);
    await assert.rejects(api.send(post, signal), { code: "provider-unreachable" });
    assert.equal(pauses.length, 5);
  });

  test("a signal ends the pause with its reason", async () => {
    await using provider = await Provider.start(answer(500));
    const abort = new AbortController();
    const clock: Clock = {
      ...systemClock,
      sleep: async (ms, ended) => (ms < 20_000 ? abort.abort(new Error("stop")) : undefined, await systemClock.sleep(ms, ended)),
    };
    await assert.rejects(rig(provider.url, {}, clock).api.send(get, abort.signal), /^Error: stop$/u);
    assert.equal(provider.requests.length, 1);
  });
});

test("a POST that is not safe is carried out at most once, whatever becomes of its answers", async () => {
  await using provider = await Provider.start();
  const refusals = { limited: answer(429), again: answer(401), locked: answer(422, { id: "locked" }) };
  const perhapsDone = {
    done: answer(201, "1"),
    failed: answer(500),
    gateway: answer(503, "", { "retry-after": "1" }),
    reset,
    half,
  };
  const ways: Readonly<Record<string, Treat>> = { ...refusals, ...perhapsDone };
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...Object.keys(ways)), { minLength: 1, maxLength: 8 }), async (names) => {
      provider.requests.length = 0;
      provider.ways = names.map((name) => ways[name] as Treat);
      const { api } = rig(provider.url);
      await api.send(post, signal).catch((error: unknown) => assert.ok(isMachineError(error), String(error)));
      const treated = provider.requests.map((_request, index) => names[Math.min(index, names.length - 1)] as string);
      assert.ok(treated.filter((name) => name in perhapsDone).length <= 1, treated.join(", "));
      assert.ok(treated.length <= 7);
    }),
    { numRuns: 60 },
  );
});
