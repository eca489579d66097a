import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { X509Certificate } from "node:crypto";
import { isMachineError, type MachineError } from "../errors/machine-error.ts";
import { temporaryFolder } from "../system/testing/folder.ts";
import { TestAuthority, type TestPair } from "../tls/testing/pki.ts";
import { EngineClient, type EngineCallOptions, type EnginePing } from "./engine-client.ts";
import type { EngineAddress } from "./engine-address.ts";
import type { ClientCredentials } from "./exchange.ts";
import { FakeEngine, type FakeEngineOptions } from "./fake-engine.ts";

let authority: TestAuthority;
let server: TestPair;
let client: ClientCredentials;
const engines: AsyncDisposable[] = [];

before(async () => {
  authority = await TestAuthority.create();
  server = await authority.issueServer("127.0.0.1", "localhost", "web");
  client = await authority.issueClient();
});

after(async () => {
  for (const engine of engines) await engine[Symbol.asyncDispose]();
});

async function start(options: Partial<FakeEngineOptions> = {}): Promise<FakeEngine> {
  const engine = await FakeEngine.start({ ...server, clientCa: authority.ca, ...options });
  engines.push(engine);
  return engine;
}

/** A server that does what it is told with each plain connection. */
async function startPlain(treat: (socket: net.Socket) => void): Promise<EngineAddress> {
  const sockets = new Set<net.Socket>();
  const plain = net.createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    treat(socket);
  });
  await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
  engines.push({
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => plain.close(resolve));
    },
  });
  return { host: "127.0.0.1", port: (plain.address() as net.AddressInfo).port };
}

/** OpenSSL's own server: unlike Node's, it tells a client that it refuses with an alert, as Go's does. */
async function startOpenssl(version: "-tls1_2" | "-tls1_3", own: TestPair = server): Promise<EngineAddress> {
  const folder = temporaryFolder();
  const file = (name: string, text: string): string => {
    fs.writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  };
  const pair = ["-cert", file("server.pem", own.certificate), "-key", file("server-key.pem", own.key)];
  const args = [
    "s_server",
    version,
    "-accept",
    "127.0.0.1:0",
    ...pair,
    "-CAfile",
    file("ca.pem", authority.ca),
    "-Verify",
    "1",
    "-verify_return_error",
    "-cipher",
    "DEFAULT@SECLEVEL=0",
    "-www",
  ];
  const program = spawn("openssl", args, { stdio: ["ignore", "pipe", "ignore"] });
  const ended = once(program, "close");
  engines.push({
    [Symbol.asyncDispose]: async () => {
      program.kill("SIGKILL");
      await ended;
    },
  });
  let output = "";
  for await (const chunk of program.stdout) {
    output += String(chunk);
    const port = /ACCEPT 127\.0\.0\.1:(\d+)/u.exec(output)?.[1];
    if (port !== undefined) return { host: "127.0.0.1", port: Number(port) };
  }
  return assert.fail(`openssl did not start: ${output}`);
}

function ping(address: EngineAddress, credentials: ClientCredentials, options: EngineCallOptions = {}): Promise<EnginePing> {
  return new EngineClient(address, credentials, options).ping();
}

async function failureOf(promise: Promise<unknown>): Promise<MachineError> {
  try {
    await promise;
  } catch (error) {
    if (isMachineError(error)) return error;
    throw error;
  }
  return assert.fail("it succeeded");
}

function assertError(error: MachineError, code: string, message: string | RegExp): void {
  assert.equal(error.code, code);
  if (typeof message === "string") assert.equal(error.message, message);
  else assert.match(error.message, message);
  assert.ok((error.hint ?? "").length > 0);
}

for (const maxTlsVersion of ["TLSv1.2", "TLSv1.3"] as const) {
  test(`an engine that answers over ${maxTlsVersion} is there, and says its version`, async () => {
    const engine = await start({ maxTlsVersion, engineVersion: "20.10.24" });
    assert.deepEqual(await ping(engine.address, client), { engineVersion: "20.10.24", apiVersion: "1.52" });
    assert.deepEqual(engine.requests, ["GET /_ping"]);
  });

  test(`an engine that refuses the client over ${maxTlsVersion} says why, as Go prints it`, async () => {
    const address = await startOpenssl(maxTlsVersion === "TLSv1.2" ? "-tls1_2" : "-tls1_3");
    assert.deepEqual(await ping(address, client), { engineVersion: undefined, apiVersion: undefined });
    const stranger = await (await TestAuthority.create("stranger")).issueClient();
    const error = await failureOf(ping(address, { ...stranger, ca: authority.ca }));
    assertError(error, "engine-certificate", "remote error: tls: unknown certificate authority");
  });
}

test("a server that hangs up on the client without a word is taken to refuse it", async () => {
  const engine = await start();
  const stranger = await (await TestAuthority.create("stranger")).issueClient();
  const error = await failureOf(ping(engine.address, { ...stranger, ca: authority.ca }));
  assertError(error, "engine-certificate", `read tcp 127.0.0.1:${engine.address.port}: EOF after the TLS handshake`);
  assert.deepEqual(engine.requests, []);
});

test("version and info are asked without an API version", async () => {
  const engine = await start({ engineVersion: "1.13.1", info: { Name: "web", Containers: 3 } });
  const api = new EngineClient(engine.address, client);
  assert.equal((await api.version()).Version, "1.13.1");
  assert.deepEqual(await api.info(), { ServerVersion: "1.13.1", Name: "web", Containers: 3 });
  assert.deepEqual(engine.requests, ["GET /version", "GET /info"]);
});

test("an engine that lets nobody ask is there, and its words are passed on where they matter", async () => {
  const engine = await start({ manner: "refuses" });
  assert.equal((await ping(engine.address, client)).apiVersion, "1.52");
  const error = await failureOf(new EngineClient(engine.address, client).info());
  assert.equal(
    error.message,
    `The engine at 127.0.0.1:${engine.address.port} answered GET /info with status 403: authorization denied by plugin`,
  );
});

test("a closed port is refused", async () => {
  const address = await startPlain(() => {});
  await engines.pop()?.[Symbol.asyncDispose]();
  const error = await failureOf(ping(address, client));
  assertError(error, "engine-unreachable", `dial tcp 127.0.0.1:${address.port}: connect: connection refused`);
});

test("a host name nobody knows is said to be one", async () => {
  const error = await failureOf(ping({ host: "no-such-host.invalid", port: 2376 }, client));
  assertError(
    error,
    "engine-unreachable",
    /^dial tcp: lookup no-such-host\.invalid: (no such host|temporary failure in name resolution)$/u,
  );
});

test("a server that never shakes hands is too late, and where it stopped is said", async () => {
  const address = await startPlain(() => {});
  const error = await failureOf(ping(address, client, { timeoutMs: 50 }));
  assertError(error, "engine-timeout", `dial tcp 127.0.0.1:${address.port}: i/o timeout during the TLS handshake (0.05 s)`);
});

test("an engine that never answers is too late", async () => {
  const engine = await start({ manner: "silent" });
  const error = await failureOf(ping(engine.address, client, { timeoutMs: 200 }));
  assertError(
    error,
    "engine-timeout",
    /^dial tcp 127\.0\.0\.1:\d+: i\/o timeout while waiting for the engine's answer \(0\.2 s\)$/u,
  );
});

test("a certificate of another CA is not trusted", async () => {
  const stranger = await TestAuthority.create("stranger");
  const engine = await start(await stranger.issueServer("127.0.0.1"));
  assertError(
    await failureOf(ping(engine.address, client)),
    "engine-certificate",
    "x509: certificate signed by unknown authority",
  );
});

test("a certificate of an earlier CA of the same name is not trusted", async () => {
  const earlier = await TestAuthority.create();
  const engine = await start(await earlier.issueServer("127.0.0.1"));
  assertError(
    await failureOf(ping(engine.address, client)),
    "engine-certificate",
    "x509: certificate signed by unknown authority",
  );
});

test("a certificate for another address is not accepted, and says for which it is", async () => {
  const moved = await start(await authority.issueServer("192.0.2.7", "198.51.100.1", "localhost"));
  assertError(
    await failureOf(ping(moved.address, client)),
    "engine-certificate",
    "x509: certificate is valid for 192.0.2.7, 198.51.100.1, not 127.0.0.1",
  );
  const nameless = await start(await authority.issueServer("web"));
  const error = await failureOf(ping(nameless.address, client));
  assertError(
    error,
    "engine-certificate",
    "x509: cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs",
  );
});

test("a changed address is no obstacle where the machine's name is asked for", async () => {
  const moved = await start(await authority.issueServer("192.0.2.7", "web"));
  await ping(moved.address, client, { serverName: "web" });
  const error = await failureOf(ping(moved.address, client, { serverName: "db" }));
  assertError(error, "engine-certificate", "x509: certificate is valid for web, not db");
});

test("certificates out of date are not accepted", async () => {
  const role = { kind: "server", names: ["127.0.0.1"], isSwarmMaster: false } as const;
  const day = 24 * 60 * 60 * 1000;
  for (const madeDaysAgo of [1081, -2]) {
    const engine = await start(await authority.issue(role, new Date(Date.now() - madeDaysAgo * day)));
    assertError(
      await failureOf(ping(engine.address, client)),
      "engine-certificate",
      "x509: certificate has expired or is not yet valid",
    );
  }
});

test("a port that does not speak TLS is said to be one", async () => {
  const address = await startPlain((socket) => socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")));
  assertError(
    await failureOf(ping(address, client)),
    "engine-certificate",
    "tls: first record does not look like a TLS handshake",
  );
});

test("a connection that is closed before the handshake is no certificate's fault", async () => {
  const closing = await startPlain((socket) => socket.end());
  assertError(await failureOf(ping(closing, client)), "engine-unreachable", `read tcp 127.0.0.1:${closing.port}: EOF`);
  const resetting = await startPlain((socket) => socket.resetAndDestroy());
  assert.equal((await failureOf(ping(resetting, client))).code, "engine-unreachable");
});

test("an answer that breaks off, or is none, is told from one", async () => {
  const engine = await start({ manner: "breaks-off" });
  assertError(
    await failureOf(new EngineClient(engine.address, client).info()),
    "engine-unreachable",
    /to GET \/info broke off$/u,
  );
  engine.manner = "nonsense";
  assertError(await failureOf(ping(engine.address, client)), "engine-unreachable", /to GET \/_ping is not HTTP$/u);
});

test("the signal ends a call with its reason", async () => {
  const engine = await start({ manner: "silent" });
  const controller = new AbortController();
  const reason = new Error("stop");
  const call = ping(engine.address, client, { signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(call, reason);
  await assert.rejects(ping(engine.address, client, { signal: controller.signal }), reason);
});

test("credentials of no use are named as such, without their content", async () => {
  const engine = await start();
  const other = await authority.issueClient();
  const error = await failureOf(ping(engine.address, { ...client, key: other.key }));
  assertError(error, "certificate-invalid", "tls: private key does not match public key");
  const damaged = await failureOf(ping(engine.address, { ...client, key: "canary" }));
  assertError(damaged, "certificate-invalid", "tls: failed to find any PEM data in certificate input");
  assert.equal(damaged.cause, undefined);
});

test("the fake demands a certificate of the CA it was given", async () => {
  const engine = await start();
  assert.equal(new X509Certificate(server.certificate).subjectAltName, "IP Address:127.0.0.1, DNS:localhost, DNS:web");
  const error = await failureOf(ping(engine.address, { ca: client.ca, cert: "", key: "" }));
  assert.notEqual(error.code, "engine-timeout");
  assert.deepEqual(engine.requests, []);
});

test("what an engine proves is the machine's own name, to the letter", async () => {
  const engine = await start(await authority.issueServer("localhost", "web"));
  const complaintOf = async (machineName: string): Promise<string> =>
    await ping(engine.address, client, { machineName }).then(
      () => "",
      (error: MachineError) => error.message,
    );
  assert.equal(await complaintOf("web"), "");
  for (const other of ["web.", "Web", "WEB", "we", "*", "", "localhost."])
    assert.match(await complaintOf(other), /^x509: cannot validate certificate for 127\.0\.0\.1/u, other);
  const wildcard = await start(await authority.issueServer("*.example", "localhost"));
  assertError(
    await failureOf(ping(wildcard.address, client, { machineName: "web.example" })),
    "engine-certificate",
    /^x509: cannot validate/u,
  );
});

test("an empty CA is nobody's, and not the operating system's", async () => {
  const engine = await start();
  for (const ca of ["", "\n"])
    assertError(await failureOf(ping(engine.address, { ...client, ca })), "certificate-invalid", /failed to find any PEM data/u);
});

test("a client's certificate proves no engine", async () => {
  const pair = await authority.issue({ kind: "client" });
  const engine = await start(pair);
  assertError(
    await failureOf(ping(engine.address, client)),
    "engine-certificate",
    /incompatible key usage|doesn't contain any IP SANs/u,
  );
});

test("a version that is not a text is none", async () => {
  for (const engineVersion of [["29"], 5])
    assertError(
      await failureOf(new EngineClient((await start({ engineVersion })).address, client).version()),
      "engine-unreachable",
      /names no version$/u,
    );
});

test("an engine with a weak key is refused as one, in both runtimes", async () => {
  const folder = temporaryFolder();
  const openssl = (...args: readonly string[]): void => void execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/O=ca", "-keyout", "ca-key", "-out", "ca", "-days", "9");
  openssl("req", "-newkey", "rsa:1024", "-nodes", "-subj", "/O=engine", "-keyout", "key", "-out", "request");
  fs.writeFileSync(path.join(folder, "names"), "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n");
  openssl(..."x509 -req -in request -CA ca -CAkey ca-key -CAcreateserial -out cert -days 9 -extfile names".split(" "));
  const read = (name: string): string => fs.readFileSync(path.join(folder, name), "utf8");
  const address = await startOpenssl("-tls1_2", { certificate: read("cert"), key: read("key") });
  assertError(
    await failureOf(ping(address, { ...client, ca: read("ca") })),
    "engine-certificate",
    /^x509: .*(?:too weak|too short)/u,
  );
});
