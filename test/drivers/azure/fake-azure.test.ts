/** The fake resource manager itself: it refuses what Azure refuses, in its order, and forgets nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeProvider } from "../../../src/testing/fake-provider.ts";
import { FakeAzure, fakeToken } from "./fake-azure.ts";
import { groupPath } from "./scene.ts";

const network = "2024-05-01";
const location = "westus";
const ids = {
  network: groupPath("Microsoft.Network/virtualNetworks/n"),
  subnet: groupPath("Microsoft.Network/virtualNetworks/n/subnets/s"),
  nic: groupPath("Microsoft.Network/networkInterfaces/web-nic"),
  address: groupPath("Microsoft.Network/publicIPAddresses/web-ip"),
};

interface Asked {
  readonly status: number;
  readonly code: string;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

type Ask = (method: string, path: string, body?: object, headers?: Record<string, string>) => Promise<Asked>;

async function withFake(work: (ask: Ask, azure: FakeAzure) => Promise<void>): Promise<void> {
  const azure = new FakeAzure();
  azure.groups.set("docker-machine", { location });
  await using provider = await FakeProvider.start({ api: azure });
  await work(async (method, path, body, headers = {}) => {
    const init = { method, headers: { authorization: `Bearer ${fakeToken}`, ...headers } };
    const url = path.startsWith("http") ? path : `${provider.url}${path}${path.includes("?") ? "" : `?api-version=${network}`}`;
    const response = await fetch(url, body === undefined ? init : { ...init, body: JSON.stringify(body) });
    const text = await response.text();
    const parsed = (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
    const { code = "" } = (parsed["error"] ?? {}) as { code?: string };
    return { status: response.status, code, headers: response.headers, body: parsed };
  }, azure);
}

/** Asks for an operation until it has ended. */
async function finish(ask: Ask, { headers }: Asked): Promise<string> {
  const url = headers.get("azure-asyncoperation") ?? "";
  for (;;) {
    const { status } = (await ask("GET", url)).body;
    if (status !== "InProgress") return String(status);
  }
}

const address = { location, sku: { name: "Standard" }, properties: { publicIPAllocationMethod: "Static" } };
const vnet = { location, properties: { subnets: [{ name: "s", properties: { addressPrefix: "10.0.0.0/24" } }] } };
const nic = {
  location,
  properties: {
    ipConfigurations: [{ name: "ip", properties: { subnet: { id: ids.subnet }, publicIPAddress: { id: ids.address } } }],
  },
};

test("asks for a token, a version, a group and a known type", async () => {
  await withFake(async (ask) => {
    const wrong = await ask("GET", ids.nic, undefined, { authorization: "Bearer other" });
    assert.deepEqual([wrong.status, wrong.code], [401, "InvalidAuthenticationToken"]);
    assert.match(wrong.headers.get("www-authenticate") ?? "", /authorization_uri="https:\/\/login/u);
    assert.equal((await ask("GET", `${ids.nic}?x=1`)).code, "MissingApiVersionParameter");
    assert.equal((await ask("GET", `${ids.nic}?api-version=2000-01-01`)).code, "InvalidApiVersionParameter");
    assert.equal((await ask("GET", groupPath("Microsoft.Network/networkInterfaces/x", "none"))).code, "ResourceGroupNotFound");
    assert.equal((await ask("GET", ids.nic)).code, "ResourceNotFound");
    assert.equal((await ask("GET", "/subscriptions/other")).code, "SubscriptionNotFound");
  });
});

test("names that are the vendor's not are refused, and references to nothing, or to what is still being made", async () => {
  await withFake(async (ask, azure) => {
    azure.looks = 3;
    assert.equal((await ask("PUT", ids.address, { ...address, properties: { invented: 1 } })).code, "InvalidRequestContent");
    assert.equal((await ask("PUT", ids.address, { ...address, surname: 1 })).code, "InvalidRequestContent");
    assert.equal((await ask("PUT", ids.address, { ...address, sku: { name: "Basic" } })).status, 400);
    assert.equal((await ask("PUT", ids.nic, nic)).code, "NotFound");
    await finish(ask, await ask("PUT", ids.network, vnet));
    const begun = await ask("PUT", ids.address, address);
    assert.equal((begun.body["properties"] as { provisioningState: string }).provisioningState, "Creating");
    assert.equal((await ask("PUT", ids.nic, nic)).code, "ReferencedResourceNotProvisioned");
    assert.equal(await finish(ask, begun), "Succeeded");
    assert.equal((await ask("PUT", ids.nic, nic)).status, 201);
    assert.equal((await ask("PUT", ids.nic, nic)).status, 200);
  });
});

test("what is in use stays; the rest goes when its operation has ended", async () => {
  await withFake(async (ask, azure) => {
    for (const [id, body] of [
      [ids.network, vnet],
      [ids.address, address],
      [ids.nic, nic],
    ] as const)
      await finish(ask, await ask("PUT", id, body));
    assert.equal((await ask("DELETE", ids.address)).code, "PublicIPAddressCannotBeDeleted");
    assert.equal((await ask("DELETE", ids.subnet)).code, "InUseSubnetCannotBeDeleted");
    assert.equal((await ask("DELETE", ids.network)).code, "InUseSubnetCannotBeDeleted");
    azure.reservations = 1;
    assert.equal((await ask("DELETE", ids.nic)).code, "NicReservedForAnotherVm");
    azure.looks = 2;
    const begun = await ask("DELETE", ids.nic);
    assert.deepEqual([begun.status, begun.headers.get("retry-after")], [202, "1"]);
    assert.equal(azure.list().length, 4);
    assert.equal(await finish(ask, begun), "Succeeded");
    assert.equal((await ask("DELETE", ids.nic)).status, 204);
    await finish(ask, await ask("DELETE", ids.network));
    assert.deepEqual(
      azure.list().map(({ kind }) => kind),
      ["public-address"],
    );
  });
});

test("a condition keeps a second from taking a name; tags are listed late", async () => {
  await withFake(async (ask, azure) => {
    const tagged = { ...address, tags: { mark: "one" } };
    await finish(ask, await ask("PUT", ids.address, tagged));
    assert.equal((await ask("PUT", ids.address, tagged, { "if-none-match": "*" })).status, 412);
    azure.lateLists = 1;
    const filter = encodeURIComponent("tagName eq 'mark' and tagValue eq 'one'");
    const list = `${ids.address.split("/resourceGroups")[0]}/resources?api-version=2021-04-01&$filter=${filter}`;
    assert.deepEqual((await ask("GET", list)).body["value"], []);
    assert.equal(((await ask("GET", list)).body["value"] as object[]).length, 1);
  });
});
