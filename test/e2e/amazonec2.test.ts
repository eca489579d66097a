/** An instance's whole life through the program: EC2 is moto, and its instances are hosts of the lab at the addresses that moto tells. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { accountAt } from "../drivers/amazonec2/account.ts";
import { motoMissing, startMoto } from "../drivers/amazonec2/moto.ts";
import { CloudHosts, type CloudMachine } from "../lab/cloud-hosts.ts";
import { labUnavailableReason, openLab, type Lab } from "../lab/lab.ts";
import { liveAt } from "./cloud-life.ts";

const unavailable = (await labUnavailableReason()) ?? motoMissing;
const secretKey = "a-secret-key-4711";

describe("instances of EC2", { skip: unavailable }, () => {
  let lab: Lab;
  before(async () => {
    lab = await openLab();
  });
  after(async () => await lab.close());

  test("a whole life", async () => {
    const hosts = new CloudHosts(lab);
    await using moto = await startMoto();
    await using hardware = await serveHardware(hosts);
    await moto.runOn(hardware.url);
    const account = accountAt(moto);
    await liveAt({
      driver: "amazonec2",
      flags: ["--amazonec2-region", "eu-central-1", "--amazonec2-open-cidr", "192.0.2.0/24"],
      env: {
        AWS_ACCESS_KEY_ID: "test-id",
        AWS_SECRET_ACCESS_KEY: secretKey,
        AWS_ENDPOINT_URL_EC2: moto.url,
        AWS_ENDPOINT_URL_SSM: moto.url,
      },
      // What the environment gives is looked for again by each command.
      record: { AccessKey: "", SecretKey: "", OwnSecurityGroup: true },
      secrets: [secretKey],
      hosts,
      heard: async () => (await moto.requests()).length,
      resources: async () => await account.left(),
      toldUserData: async () => {
        const run = (await moto.requests()).findLast(({ action, params }) => action === "RunInstances" && "UserData" in params);
        return Buffer.from(run?.params["UserData"] ?? "", "base64").toString("utf8");
      },
    });
  });
});

/** Where moto tells what is to be of its instances. */
async function serveHardware(hosts: CloudHosts): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((request, response) => {
    void (async () => {
      try {
        const addresses = await hosts.settle(JSON.parse(await text(request)) as readonly CloudMachine[]);
        response.end(JSON.stringify(Object.fromEntries(addresses)));
      } catch (error) {
        response.writeHead(500).end(String(error));
      }
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
