/** Where tokens come from: a service account's key, the metadata server, nothing at all. By Google's own library. */
import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { isMachineError } from "../../../src/errors/machine-error.ts";
import { TestAuthority } from "../../../src/tls/testing/pki.ts";
import { InterceptingProxy } from "../../support/intercepting-proxy.ts";
import { fakeProject } from "./catalogue.ts";
import type { FakeCompute } from "./fake-compute.ts";
import { configOf } from "../driver-scene.ts";
import { openScene } from "./scene.ts";
import { ServiceAccount } from "./service-account.ts";

/** The library reads the process's own environment. */
function withVariables(variables: Readonly<Record<string, string>>): Disposable {
  const kept = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);
  return {
    [Symbol.dispose]: () => {
      for (const [name, value] of kept) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    },
  };
}

describe("a key of a service account", () => {
  const trusted = getCACertificates("default");
  let authority: TestAuthority;
  before(async () => {
    authority = await TestAuthority.create();
    setDefaultCACertificates([...trusted, authority.ca]);
  });
  after(() => setDefaultCACertificates(trusted));

  const tokenService =
    (cloud: FakeCompute): RequestListener =>
    (request, response) => {
      const answer = async (): Promise<void> => {
        const { status, body } = cloud.giveAccountToken(await text(request));
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
      };
      void answer();
    };

  test("signs what it asks for, is not stored, and tells its project", async () => {
    await using scene = await openScene();
    await using proxy = await InterceptingProxy.start(authority, { "oauth2.googleapis.com": tokenService(scene.cloud) });
    using _ = withVariables({ HTTPS_PROXY: proxy.url });
    const flags = { "google-auth-encoded-json": scene.cloud.account.keyFile, "google-project": "" };
    const driver = await scene.checked(flags);
    assert.equal((await configOf(driver))["Project"], fakeProject);
    assert.deepEqual(proxy.asked, ["oauth2.googleapis.com"]);
  });

  test("that Google does not know any more gives no token", async () => {
    await using scene = await openScene();
    await using proxy = await InterceptingProxy.start(authority, { "oauth2.googleapis.com": tokenService(scene.cloud) });
    using _ = withVariables({ HTTPS_PROXY: proxy.url });
    const revoked = new ServiceAccount();
    await assert.rejects(scene.checked({ "google-auth-encoded-json": revoked.keyFile }), (error) => {
      assert.ok(isMachineError(error, "provider-credentials"), String(error));
      assert.match(error.message, /^Google gives no token for the credentials.*Invalid JWT Signature/u);
      const [, line = "?"] = revoked.privateKey.split("\n");
      assert.ok(!`${error.stack}${JSON.stringify(error.cause)}`.includes(line));
      return true;
    });
  });
});

test("on a machine at Google its own account is taken, with its project", async () => {
  await using scene = await openScene();
  const asked: string[] = [];
  const server = createServer(({ url = "", headers }, response) => {
    asked.push(url);
    const isFlavoured = headers["metadata-flavor"] === "Google";
    response.setHeader("metadata-flavor", "Google");
    if (!isFlavoured) response.writeHead(403).end();
    else if (url.startsWith("/computeMetadata/v1/project/project-id")) response.end(fakeProject);
    else if (url.startsWith("/computeMetadata/v1/instance/service-accounts/default/token"))
      response
        .setHeader("content-type", "application/json")
        .end(JSON.stringify({ access_token: scene.cloud.token, expires_in: 3599, token_type: "Bearer" }));
    else response.end("computeMetadata/");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    using _ = withVariables({ GCE_METADATA_HOST: `127.0.0.1:${(server.address() as AddressInfo).port}` });
    const driver = await scene.checked({ "google-auth-encoded-json": "", "google-project": "" });
    assert.equal((await configOf(driver))["Project"], fakeProject);
    assert.ok(asked.some((url) => url.includes("/token")));
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

test("without credentials anywhere the places that were looked at are named", async () => {
  await using scene = await openScene();
  using _ = withVariables({ METADATA_SERVER_DETECTION: "none" });
  await assert.rejects(scene.checked({ "google-auth-encoded-json": "" }), (error) => {
    assert.ok(isMachineError(error, "provider-credentials"), String(error));
    assert.match(
      error.message,
      /looked at: --google-auth-encoded-json, GOOGLE_APPLICATION_CREDENTIALS, the metadata server of Google's clouds$/u,
    );
    assert.match(error.hint ?? "", /gcloud auth application-default login/u);
    return true;
  });
});
