import assert from "node:assert/strict";
import { test } from "node:test";
import { isMachineError } from "../errors/machine-error.ts";
import { TestAuthority } from "../tls/testing/pki.ts";
import { EngineApi } from "./engine-api.ts";
import { FakeEngine } from "./fake-engine.ts";

const { signal } = new AbortController();

test("an engine behind TLS is believed by the name it is called by, and by no other", async () => {
  const authority = await TestAuthority.create();
  const [named, stranger, client] = await Promise.all([
    authority.issueServer("127.0.0.1"),
    authority.issueServer("docker", "elsewhere"),
    authority.issueClient(),
  ]);
  const ask = async (pair: typeof named): Promise<unknown> => {
    await using engine = await FakeEngine.start({ ...pair, clientCa: authority.ca });
    const { host, port } = engine.address;
    const tls = { ca: authority.ca, certificate: client.cert, key: client.key };
    return await new EngineApi({ kind: "tcp", host, port, tls }).send("GET", "/version", { signal });
  };
  await ask(named);
  await assert.rejects(ask(stranger), (error) => isMachineError(error, "engine-unreachable") && /altnames/u.test(error.message));
});
