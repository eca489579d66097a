/**
 * A virtual machine's whole life through the program: Azure is a fake, over https as the vendor's own libraries want it; its
 * machines are hosts of the lab, and its tokens are made for an application's secret.
 */
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { FakeProvider } from "../../src/testing/fake-provider.ts";
import { TestAuthority } from "../../src/tls/testing/pki.ts";
import { subscriptionId } from "../drivers/azure/catalogue.ts";
import { FakeAzure, fakeToken } from "../drivers/azure/fake-azure.ts";
import { application } from "../drivers/azure/token-service.ts";
import { onHosts } from "../lab/cloud-hosts.ts";
import { liveAt, testLife } from "./cloud-life.ts";

testLife("virtual machines of Azure", false, async (hosts) => {
  const azure = new FakeAzure();
  azure.retryAfter = 0;
  const authority = await TestAuthority.create();
  const identity = await authority.issueServer("127.0.0.1");
  await using provider = await FakeProvider.start({ api: onHosts(azure, hosts), identity });
  await using folder = await mkdtempDisposable(path.join(tmpdir(), "azure-e2e-"));
  const roots = path.join(folder.path, "roots.pem");
  await writeFile(roots, authority.ca);
  await liveAt({
    driver: "azure",
    flags: ["--azure-open-cidr", "192.0.2.0/24"],
    env: {
      AZURE_SUBSCRIPTION_ID: subscriptionId,
      AZURE_CLIENT_ID: application.id,
      AZURE_CLIENT_SECRET: application.secret,
      AZURE_AUTHORITY_HOST: provider.url,
      AZURE_RESOURCE_MANAGER_ENDPOINT: provider.url,
      NODE_EXTRA_CA_CERTS: roots,
    },
    secrets: [application.secret, fakeToken],
    hosts,
    heard: async () => provider.requests.length,
    resources: async () => azure.list(),
    toldUserData: async () => azure.machines()[0]?.userData,
  });
});
