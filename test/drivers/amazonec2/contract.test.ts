/** The contract of drivers, lived against moto. */
import { after, before } from "node:test";
import { driverModule } from "../../../src/drivers/amazonec2/index.ts";
import { thisComputer } from "../../../src/system/computer.ts";
import { describeDriverContract } from "../../../src/testing/driver-contract.ts";
import { motoMissing, startMoto, type Moto } from "./moto.ts";

let moto: Moto | undefined;

before(async () => {
  if (motoMissing === false) moto = await startMoto();
});
after(async () => await moto?.[Symbol.asyncDispose]());

const computer = thisComputer();

describeDriverContract(
  "amazonec2",
  async () => ({
    module: driverModule,
    flags: { "amazonec2-region": "eu-central-1", "amazonec2-endpoint": moto?.url ?? "" },
    context: {
      computer: {
        ...computer,
        env: {
          ...computer.env,
          AWS_ACCESS_KEY_ID: "test-id",
          AWS_SECRET_ACCESS_KEY: "test-key",
          AWS_ENDPOINT_URL_SSM: moto?.url,
        },
      },
    },
  }),
  {
    refusedFlags: { "amazonec2-insecure-transport": true },
    lifecycle: { skip: motoMissing === false ? undefined : motoMissing, timeoutMs: 120_000 },
  },
);
