/**
 * An instance's whole life through the program: Compute Engine is a fake that is held against the vendor's description, its
 * instances are hosts of the lab, and its tokens are made for a service account's key, where Google's library asks for them.
 */
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { text } from "node:stream/consumers";
import { TestAuthority } from "../../src/tls/testing/pki.ts";
import { FakeCompute } from "../drivers/google/fake-compute.ts";
import { onHosts } from "../lab/cloud-hosts.ts";
import { InterceptingProxy } from "../support/intercepting-proxy.ts";
import { liveAt, testLife } from "./cloud-life.ts";

testLife("instances of Compute Engine", false, async (hosts) => {
  await using cloud = await FakeCompute.start(undefined, (fake) => onHosts(fake, hosts));
  const authority = await TestAuthority.create();
  await using proxy = await InterceptingProxy.start(authority, { "oauth2.googleapis.com": tokenService(cloud) });
  await using folder = await mkdtempDisposable(path.join(tmpdir(), "google-e2e-"));
  const [keyFile, roots] = [path.join(folder.path, "key.json"), path.join(folder.path, "roots.pem")];
  await writeFile(keyFile, cloud.account.keyFile);
  await writeFile(roots, authority.ca);
  await liveAt({
    driver: "google",
    flags: ["--google-open-cidr", "192.0.2.0/24"],
    env: {
      GOOGLE_APPLICATION_CREDENTIALS: keyFile,
      GOOGLE_COMPUTE_CUSTOM_ENDPOINT: `${cloud.provider.url}/compute/v1`,
      HTTPS_PROXY: proxy.url,
      NODE_EXTRA_CA_CERTS: roots,
    },
    secrets: [cloud.token, cloud.account.privateKey.split("\n")[1] ?? ""],
    hosts,
    heard: async () => cloud.provider.requests.length,
    resources: async () => cloud.resources,
    // What was in it is taken away from the metadata.
    toldUserData: async () => cloud.machines().find(({ userData }) => userData !== "")?.userData,
  });
});

function tokenService(cloud: FakeCompute): RequestListener {
  const answer: (...exchange: Parameters<RequestListener>) => Promise<void> = async (request, response) => {
    const { status, body } = cloud.giveAccountToken(await text(request));
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
  return (request, response) => void answer(request, response);
}
