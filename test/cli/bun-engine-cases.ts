/** Run by Bun: what its own sockets say yes to, and that they say it to nothing else. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import * as path from "node:path";
import { after, test } from "node:test";
import { exchangeByBun } from "../../src/engine/bun-exchange.ts";
import type { ClientCredentials, ExchangeOptions } from "../../src/engine/exchange.ts";
import { FakeEngine } from "../../src/engine/fake-engine.ts";
import { isMachineError } from "../../src/errors/machine-error.ts";
import { TestAuthority, type TestPair } from "../../src/tls/testing/pki.ts";

const dayMs = 86_400_000;
const authority = await TestAuthority.create();
const stranger = await TestAuthority.create("stranger");
const server = await authority.issueServer("127.0.0.1", "localhost", "web");
const client = await authority.issueClient();
const engines: FakeEngine[] = [];
after(async () => {
  for (const engine of engines) await engine[Symbol.asyncDispose]();
});

async function ask(
  own: TestPair = server,
  credentials: ClientCredentials = client,
  options: Partial<ExchangeOptions> = {},
): Promise<number | undefined> {
  const engine = await FakeEngine.start({ ...own, clientCa: authority.ca });
  engines.push(engine);
  const answer = await exchangeByBun(engine.address, credentials, "/_ping", { timeoutMs: 5_000, ...options });
  return answer?.status;
}

test("an engine of the CA that is for the address is believed", async () => assert.equal(await ask(), 200));

test("an engine that is for the name asked for is believed", async () => {
  const moved = await authority.issueServer("192.0.2.7", "web");
  assert.equal(await ask(moved, client, { serverName: "web" }), 200);
  assert.equal(await ask(moved, client, { serverName: "Web" }), undefined);
  assert.equal(await ask(moved), undefined);
});

test("nobody else is", async () => {
  assert.equal(await ask(await stranger.issueServer("127.0.0.1")), undefined);
  assert.equal(await ask(server, { ...client, ca: stranger.ca }), undefined);
  assert.equal(await ask(server, { ...client, ca: "" }), undefined);
  assert.equal(await ask(await authority.issue({ kind: "client" })), undefined);
  const [old, early] = [new Date(Date.now() - 1_200 * dayMs), new Date(Date.now() + 20 * dayMs)];
  const role = { kind: "server", names: ["127.0.0.1"], isSwarmMaster: false } as const;
  assert.equal(await ask(await authority.issue(role, old)), undefined);
  assert.equal(await ask(await authority.issue(role, early)), undefined);
});

test("the environment's CAs are not the machine's", async () => {
  const folder = path.dirname(process.env["NODE_EXTRA_CA_CERTS"] ?? "");
  const [certificate, key] = ["server.pem", "server-key.pem"].map((name) => readFileSync(path.join(folder, name), "utf8"));
  assert.equal(await ask({ certificate: certificate ?? "", key: key ?? "" }), undefined);
});

test("an engine that does not know the client gives no answer", async () => {
  const unknown = await stranger.issueClient();
  assert.equal(await ask(server, { ...unknown, ca: authority.ca }), undefined);
});

test("the bound and the signal end it", async () => {
  const silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  const address = { host: "127.0.0.1", port: (silent.address() as AddressInfo).port };
  await assert.rejects(exchangeByBun(address, client, "/", { timeoutMs: 20 }), (error) =>
    isMachineError(error, "engine-timeout"),
  );
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(exchangeByBun(address, client, "/", { timeoutMs: 5_000, signal }), /enough/u);
  silent.close();
});
