import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from "node:net";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import { isMachineError } from "../errors/machine-error.ts";
import { TestAuthority, type TestPair } from "../tls/testing/pki.ts";
import type { HttpTransport } from "../driver-kit/http-transport.ts";
import { systemClock } from "./clock.ts";
import { FakeClock } from "./fake-clock.ts";
import { isHttpFailure, type HttpFailureReason } from "./http-failure.ts";
import { HttpClient, type HttpClientOptions } from "./http-request.ts";
import { ForwardProxy } from "./testing/forward-proxy.ts";
import type { HttpErrand, HttpOutcome } from "./testing/http-program.ts";
import { runtimes } from "./testing/runtimes.ts";
import { TestProcess } from "./testing/test-process.ts";

// Made when the file is loaded, which in a process that all files share is long before its tests: not a timeout.
const { signal } = new AbortController();
const program = path.join(import.meta.dirname, "testing/http-program.ts");

let authority: TestAuthority;
let pair: TestPair;

before(async () => {
  authority = await TestAuthority.create();
  pair = await authority.issueServer("api.test", "127.0.0.1");
});

interface Served extends AsyncDisposable {
  readonly port: number;
  /** Connections so far. */
  readonly connections: { count: number };
}

const open: Served[] = [];
after(async () => {
  for (const server of open) await server[Symbol.asyncDispose]();
});

async function listen(server: Server): Promise<Served> {
  const sockets = new Set<Socket>();
  const connections = { count: 0 };
  server.on("connection", (socket: Socket) => {
    connections.count += 1;
    sockets.add(socket.on("error", () => {}));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const served: Served = {
    port: (server.address() as AddressInfo).port,
    connections,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  open.push(served);
  return served;
}

async function serve(answer: RequestListener): Promise<Served> {
  return await listen(createServer(answer));
}

async function serveSecurely(answer: RequestListener, shown = pair): Promise<Served> {
  return await listen(createSecureServer({ cert: shown.certificate, key: shown.key }, answer));
}

/** As drivers are given it. */
function client(options: Partial<HttpClientOptions> = {}): HttpTransport {
  return new HttpClient({ env: {}, clock: systemClock, ...options });
}

/** Says what it was asked, as a provider would. */
function echo(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const said = { method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(chunks).toString() };
    response.end(JSON.stringify(said));
  });
}

type Echo = { method: string; url: string; headers: Record<string, string>; body: string };

async function assertFailure(work: Promise<unknown>, reason: HttpFailureReason, message: RegExp): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(isHttpFailure(error), String(error));
    assert.equal(error.reason, reason, error.message);
    assert.match(error.message, message);
    return true;
  });
}

describe("a request", () => {
  test("arrives as it was given, and its answer as it was sent", async () => {
    const server = await serve((request, response) => {
      response.setHeader("X-Request-Id", "r1").setHeader("set-cookie", ["a=1", "b=2"]).writeHead(201);
      echo(request, response);
    });
    const url = `http://127.0.0.1:${server.port}/v2/things?a=1&b=%20`;
    const answer = await client().send(
      { method: "POST", url, headers: { "x-own": "ä".normalize("NFD")[0] ?? "" }, body: "{}€" },
      signal,
    );
    assert.deepEqual([answer.status, answer.headers["x-request-id"], answer.headers["set-cookie"]], [201, "r1", "a=1, b=2"]);
    const said = JSON.parse(answer.text) as Echo;
    assert.deepEqual([said.method, said.url, said.body], ["POST", "/v2/things?a=1&b=%20", "{}€"]);
    assert.deepEqual(
      [said.headers["content-length"], said.headers["x-own"], said.headers["user-agent"]],
      ["5", "a", "docker-machine"],
    );
  });

  test("a redirect is an answer: nobody else gets the credentials", async () => {
    const elsewhere = await serve(echo);
    const location = `http://127.0.0.1:${elsewhere.port}/`;
    const server = await serve((_request, response) => void response.writeHead(302, { location }).end());
    const request = { method: "GET", url: `http://127.0.0.1:${server.port}/`, headers: { authorization: "Bearer t" } } as const;
    const answer = await client().send(request, signal);
    assert.deepEqual([answer.status, answer.headers["location"], elsewhere.connections.count], [302, location, 0]);
  });

  test("reads share a connection; whatever changes something has one of its own", async () => {
    const server = await serve(echo);
    const url = `http://127.0.0.1:${server.port}/`;
    const asking = client();
    for (let round = 0; round < 3; round += 1) await asking.send({ method: "GET", url }, signal);
    assert.equal(server.connections.count, 1);
    await asking.send({ method: "POST", url }, signal);
    await asking.send({ method: "DELETE", url }, signal);
    assert.equal(server.connections.count, 3);
  });

  test("plain http goes to this computer alone, unless the user gave the endpoint", async () => {
    const url = "http://api.test:1/secret?token=hush";
    await assert.rejects(
      client().send({ method: "GET", url }, signal),
      (error) => isMachineError(error, "provider-untrusted") && /plain http/u.test(error.message) && !/hush/u.test(error.message),
    );
    await assertFailure(client().send({ method: "GET", url: "ftp://127.0.0.1/" }, signal), "plain-http", /neither an https/u);
    await assertFailure(client().send({ method: "GET", url: "rubbish" }, signal), "plain-http", /"rubbish" is neither/u);
    const server = await serve(echo);
    await using proxy = await ForwardProxy.start();
    const env = { HTTP_PROXY: `http://${proxy.place}` };
    const given = client({ env, trust: { plainHttp: true } });
    assert.equal((await given.send({ method: "GET", url: `http://api.test:${server.port}/x` }, signal)).status, 200);
  });
});

describe("an answer that does not come", () => {
  test("a port that nobody listens on, and a name that nobody has: nothing was sent", async () => {
    const closed = await serve(echo);
    await open.pop()?.[Symbol.asyncDispose]();
    const url = `http://127.0.0.1:${closed.port}/`;
    await assertFailure(
      client().send({ method: "POST", url }, signal),
      "unreachable",
      /cannot be reached: connect ECONNREFUSED/u,
    );
    await assert.rejects(client().send({ method: "POST", url }, signal), { maybeSent: false, code: "provider-unreachable" });
    const nowhere = client().send({ method: "GET", url: "https://no-such-host.invalid/" }, signal);
    await assert.rejects(nowhere, { maybeSent: false, code: "provider-unreachable" });
  });

  test("one that breaks off, before its head or in its middle, may have been carried out", async () => {
    const resets: readonly ((response: ServerResponse) => void)[] = [
      (response) => response.destroy(),
      (response) => void (response.socket as Socket).resetAndDestroy(),
      (response) => response.writeHead(200, { "content-length": 10 }).write("half", () => response.destroy()),
      (response) => response.writeHead(200).write("half", () => (response.socket as Socket).resetAndDestroy()),
    ];
    for (const reset of resets) {
      const server = await serve((_request, response) => reset(response));
      const sending = client().send({ method: "POST", url: `http://127.0.0.1:${server.port}/` }, signal);
      await assertFailure(sending, "broken", /broke off its answer/u);
    }
  });

  test("a late one is bounded by the clock, from the first byte to the last", async () => {
    for (const half of [false, true]) {
      const clock = new FakeClock();
      const asked = Promise.withResolvers<void>();
      const server = await serve((_request, response) => {
        if (half) response.write("half");
        asked.resolve();
      });
      const sending = client({ clock }).send({ method: "GET", url: `http://127.0.0.1:${server.port}/`, boundMs: 7_000 }, signal);
      sending.catch(() => {});
      await asked.promise;
      await clock.advance(7_000);
      await assertFailure(sending, "late", /did not answer within 7 s/u);
    }
  });

  test("an endless one is left", async () => {
    const server = await serve((_request, response) => {
      const pour = (): void => void response.write("x".repeat(1_000), (error) => (error ? undefined : pour()));
      pour();
    });
    const sending = client({ mostBytes: 100_000 }).send({ method: "GET", url: `http://127.0.0.1:${server.port}/` }, signal);
    await assertFailure(sending, "too-large", /answers with more than 100000 bytes/u);
  });

  test("the signal ends it with its reason, while connecting, waiting and reading", async () => {
    const mute = await listen(createTcpServer(() => {}));
    const silent = await serve(() => {});
    const half = await serve((_request, response) => void response.write("half"));
    for (const url of [`https://127.0.0.1:${mute.port}/`, `http://127.0.0.1:${silent.port}/`, `http://127.0.0.1:${half.port}/`]) {
      const abort = new AbortController();
      const sending = client().send({ method: "GET", url }, abort.signal);
      abort.abort(new Error("stop"));
      await assert.rejects(sending, /^Error: stop$/u);
      const later = new AbortController();
      const begun = client().send({ method: "GET", url }, later.signal);
      setImmediate(() => setImmediate(() => later.abort(new Error("stop later"))));
      await assert.rejects(begun, /^Error: stop later$/u);
    }
  });
});

describe("trust", () => {
  test("a certificate of this computer's roots, of roots given, or pinned; no other", async () => {
    const server = await serveSecurely(echo);
    const request = { method: "GET", url: `https://127.0.0.1:${server.port}/` } as const;
    const fingerprint = new X509Certificate(pair.certificate).fingerprint256;
    await assertFailure(client().send(request, signal), "certificate", /does not prove who it is/u);
    assert.equal((await client({ trust: { roots: authority.ca } }).send(request, signal)).status, 200);
    assert.equal((await client({ trust: { insecure: true } }).send(request, signal)).status, 200);
    assert.equal((await client().trusting({ fingerprint }).send(request, signal)).status, 200);
    const sha1 = new X509Certificate(pair.certificate).fingerprint;
    assert.equal((await client().trusting({ fingerprint: sha1 }).send(request, signal)).status, 200);
    await assertFailure(
      client()
        .trusting({ fingerprint: "00".repeat(20) })
        .send(request, signal),
      "certificate",
      /not the expected one/u,
    );
    const learned = await client().fingerprint(request.url, signal);
    assert.equal(learned, fingerprint.replaceAll(":", "").toLowerCase());
    const other = await TestAuthority.create("other");
    await assertFailure(client({ trust: { roots: other.ca } }).send(request, signal), "certificate", /certificate/u);
    const changed = client({ trust: { fingerprint: "00".repeat(32) } }).send(request, signal);
    await assertFailure(changed, "certificate", new RegExp(`fingerprint ${learned}, not the expected one`, "u"));
  });

  test("what is sent to a server without trust is nothing", async () => {
    let asked = 0;
    const server = await serveSecurely(() => (asked += 1));
    const url = `https://127.0.0.1:${server.port}/`;
    for (const trust of [{}, { fingerprint: "00".repeat(32) }])
      await assert.rejects(client({ trust }).send({ method: "POST", url, body: "hush" }, signal), { maybeSent: false });
    assert.equal(asked, 0);
  });

  test("roots and a client's pair that are none are said to be so, and the key is not quoted", async () => {
    const server = await serveSecurely(echo);
    const request = { method: "GET", url: `https://127.0.0.1:${server.port}/` } as const;
    const hush = { certificate: pair.certificate, key: "-----BEGIN PRIVATE KEY-----\nhush" };
    for (const trust of [{ client: hush }, { roots: "-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----" }])
      await assert.rejects(client({ trust }).send(request, signal), (error) => {
        assert.ok(isHttpFailure(error) && error.reason === "certificate", String(error));
        assert.match(error.message, /cannot be used$/u);
        return error.cause instanceof Error && error.cause.cause === undefined;
      });
  });

  test("a certificate for another name is not believed", async () => {
    const server = await serveSecurely(echo, await authority.issueServer("other.test"));
    const sending = client({ trust: { roots: authority.ca } }).send(
      { method: "GET", url: `https://127.0.0.1:${server.port}/` },
      signal,
    );
    await assertFailure(sending, "certificate", /altnames/u);
  });

  test("the client shows its own certificate where it is asked", async () => {
    const { cert, key } = await authority.issueClient();
    const options = { cert: pair.certificate, key: pair.key, ca: authority.ca, requestCert: true, rejectUnauthorized: true };
    const server = await listen(createSecureServer(options, echo));
    const request = { method: "GET", url: `https://127.0.0.1:${server.port}/` } as const;
    const trust = { roots: authority.ca, client: { certificate: cert, key } };
    assert.equal((await client({ trust }).send(request, signal)).status, 200);
    await assert.rejects(client({ trust: { roots: authority.ca } }).send(request, signal), { code: "provider-unreachable" });
  });
});

describe("a proxy", () => {
  for (const runtime of runtimes) {
    test(`carries https and http under ${runtime.name}, for requests and for SDKs`, async () => {
      const secure = await serveSecurely(echo);
      const plain = await serve(echo);
      await using proxy = await ForwardProxy.start({ credentials: "me:p@ss" });
      const address = `http://me:p%40ss@${proxy.place}`;
      const env = { HTTPS_PROXY: address, HTTP_PROXY: address, NO_PROXY: "10.0.0.0/8, direct.test" };
      const trust = { roots: authority.ca, plainHttp: true };
      const https = `https://api.test:${secure.port}/a?b=c`;
      const http = `http://api.test:${plain.port}/a?b=c`;
      const bad = { ...env, HTTPS_PROXY: `http://${proxy.place}` };
      const errands: HttpErrand[] = [
        { request: { method: "POST", url: https, body: "one", headers: { authorization: "Bearer t" } }, env, trust },
        { request: { method: "GET", url: http }, env, trust },
        { request: { method: "GET", url: https }, env, trust, byAgent: true },
        { request: { method: "GET", url: https }, env: bad, trust },
        { request: { method: "GET", url: https }, env },
        { request: { method: "GET", url: `https://127.0.0.1:${secure.port}/` }, env, trust },
        { request: { method: "GET", url: `https://wrong.test:${secure.port}/` }, env, trust },
        { request: { method: "GET", url: `https://127.0.0.1:${secure.port}/` }, env, trust: { fingerprint: "00".repeat(32) } },
      ];
      await using secureProxy = await ForwardProxy.start({ pair });
      const bySecure = { HTTPS_PROXY: `https://${secureProxy.place}`, HTTP_PROXY: `https://${secureProxy.place}` };
      errands.push(
        { request: { method: "GET", url: https }, env: bySecure, trust },
        { request: { method: "GET", url: http }, env: bySecure, trust },
      );
      const { stdout, stderr } = await new TestProcess(runtime, program, [JSON.stringify(errands)]).finish();
      assert.equal(stderr, "");
      const outcomes = JSON.parse(stdout) as HttpOutcome[];
      assert.deepEqual(
        outcomes.map(({ status, reason }) => reason ?? status),
        [200, 200, 200, "proxy", "certificate", 200, "certificate", "certificate", 200, 200],
        stdout,
      );
      assert.match(outcomes[3]?.message ?? "", /the proxy 127\.0\.0\.1:\d+ refused api\.test:\d+ with status 407/u);
      const said = JSON.parse(outcomes[0]?.text ?? "") as Echo;
      assert.deepEqual(
        [said.body, said.headers["authorization"], said.headers["host"]],
        ["one", "Bearer t", `api.test:${secure.port}`],
      );
      assert.ok(!stdout.includes("proxy-authorization"));
      const tunnel = `CONNECT api.test:${secure.port}`;
      assert.deepEqual(proxy.requests, [tunnel, `GET ${http}`, tunnel, tunnel, tunnel, `CONNECT wrong.test:${secure.port}`]);
      assert.deepEqual(secureProxy.requests, [tunnel, `GET ${http}`]);
    });
  }

  test("that refuses, is silent, is gone or breaks off lets nothing be sent, and is named", async () => {
    const server = await serveSecurely(echo);
    const request = { method: "POST", url: `https://api.test:${server.port}/` } as const;
    await using proxy = await ForwardProxy.start();
    const options = { env: { HTTPS_PROXY: `http://${proxy.place}` }, trust: { roots: authority.ca } };
    for (const status of [403, 407, 502]) {
      proxy.refusal = status;
      const refused = new RegExp(`the proxy ${proxy.place} refused api.test:\\d+ with status ${status}`, "u");
      await assertFailure(client(options).send(request, signal), "proxy", refused);
    }
    proxy.refusal = "silence";
    const clock = new FakeClock();
    const sending = client({ ...options, clock }).send(request, signal);
    sending.catch(() => {});
    await proxy.reached(4);
    await clock.advance(20_000);
    await assertFailure(sending, "proxy", new RegExp(`the proxy ${proxy.place} did not answer within 20 s`, "u"));
    const breaking = await listen(createTcpServer((socket) => socket.once("data", () => socket.destroy())));
    const env = { HTTPS_PROXY: `http://127.0.0.1:${breaking.port}` };
    await assertFailure(client({ ...options, env }).send(request, signal), "proxy", /the proxy 127\.0\.0\.1:\d+ cannot be used/u);
    assert.equal(server.connections.count, 0);
  });
});
