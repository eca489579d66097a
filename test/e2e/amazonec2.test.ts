/** An instance's whole life through the program: EC2 is moto, and its instances are hosts of the lab at the addresses that moto tells. */
import { accountAt } from "../drivers/amazonec2/account.ts";
import { serveHardware } from "../lab/cloud-hardware.ts";
import { motoMissing, startMoto } from "../drivers/amazonec2/moto.ts";
import { liveAt, testLife } from "./cloud-life.ts";

const secretKey = "a-secret-key-4711";

testLife("instances of EC2", motoMissing, async (hosts) => {
  await using moto = await startMoto();
  await using hardware = await serveHardware(async (machines) => await hosts.settle(machines));
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
