/** The crash suite: the driver is killed at each step of create and rm, beside what others have of the same kinds and name. */
import { ImportKeyPairCommand, CreateSecurityGroupCommand, RunInstancesCommand } from "@aws-sdk/client-ec2";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { after, before } from "node:test";
import { driverModule } from "../../../src/drivers/amazonec2/index.ts";
import { thisComputer } from "../../../src/system/computer.ts";
import { FakeClock } from "../../../src/system/fake-clock.ts";
import { crashMachineName, describeDriverCrashes, type DriverCrashFixture } from "../../../src/testing/crash-suite.ts";
import { accountAt, type Account } from "./account.ts";
import { motoMissing, startMoto, type Moto } from "./moto.ts";

let moto: Moto;

before(async () => {
  if (motoMissing === false) moto = await startMoto();
});
after(async () => await moto?.[Symbol.asyncDispose]());

const computer = thisComputer();

// With a group of its own a machine has all that it can have: the steps of one that uses the shared group are among these.
describeDriverCrashes(
  "amazonec2",
  async (step): Promise<DriverCrashFixture> => {
    await moto.reset();
    const account = accountAt(moto);
    await addForeign(account);
    const proxy = await startProxy(moto.url, step);
    const env = {
      ...computer.env,
      AWS_ACCESS_KEY_ID: "test-id",
      AWS_SECRET_ACCESS_KEY: "test-key",
      AWS_ENDPOINT_URL_SSM: moto.url,
    };
    const own = { "amazonec2-region": "eu-central-1", "amazonec2-endpoint": proxy.url };
    return {
      module: driverModule,
      flags: { ...own, "amazonec2-open-cidr": ["192.0.2.0/24"] },
      context: { clock: new FakeClock(), computer: { ...computer, env } },
      resources: async () => await account.resources(),
      [Symbol.asyncDispose]: async () => {
        account.client.destroy();
        await proxy[Symbol.asyncDispose]();
      },
    };
  },
  { skip: motoMissing === false ? undefined : motoMissing, timeoutMs: 300_000 },
);

/** Someone else's machine of the same name, its key pair, and the group that all share. */
async function addForeign({ client }: Account): Promise<void> {
  const PublicKeyMaterial = Buffer.from(
    `ssh-ed25519 ${Buffer.from("\0\0\0\x0bssh-ed25519\0\0\0 01234567890123456789012345678901").toString("base64")} x`,
  );
  await client.send(new ImportKeyPairCommand({ KeyName: crashMachineName, PublicKeyMaterial }));
  await client.send(new CreateSecurityGroupCommand({ GroupName: "docker-machine", Description: "theirs" }));
  const Tags = [
    { Key: "Name", Value: crashMachineName },
    { Key: "docker-machine:create-id", Value: "another" },
  ];
  const request = {
    ImageId: "ami-0a000000000002404",
    InstanceType: "t3.micro",
    KeyName: crashMachineName,
    MinCount: 1,
    MaxCount: 1,
  } as const;
  await client.send(new RunInstancesCommand({ ...request, TagSpecifications: [{ ResourceType: "instance", Tags }] }));
}

/** Between the driver and moto: each request is a step before it is passed on, and one before its answer is. */
async function startProxy(
  target: string,
  step: (what: string) => Promise<void>,
): Promise<AsyncDisposable & { readonly url: string }> {
  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request);
    const action = new URLSearchParams(body.toString()).get("Action") ?? "a request";
    await step(`before ${action}`);
    const { "content-type": type = "", authorization = "" } = request.headers;
    const answer = await fetch(`${target}${request.url}`, {
      method: "POST",
      body,
      headers: { "content-type": type, authorization },
    });
    const text = await answer.text();
    await step(`after ${action}`);
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "text/xml" }).end(text);
  };
  const server = createServer((request, response) => {
    // One that is cut off has been left by a dead driver.
    pass(request, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
