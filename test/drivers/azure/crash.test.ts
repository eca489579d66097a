/** An Azure driver killed at each step of `create` and `rm`, beside what others have under the same names. */
import { driverModule } from "../../../src/drivers/azure/index.ts";
import { FakeClock } from "../../../src/system/fake-clock.ts";
import { crashMachineName, describeDriverCrashes } from "../../../src/testing/crash-suite.ts";
import { addForeign } from "./foreign.ts";
import { bareComputer } from "../driver-scene.ts";
import { openCloud, sshKey } from "./scene.ts";

describeDriverCrashes(
  "azure",
  async (step) => {
    const cloud = await openCloud(step);
    const { azure } = cloud;
    azure.groups.set("docker-machine", { location: "westus" });
    azure.retryAfter = 0;
    addForeign(azure, crashMachineName);
    return {
      module: driverModule,
      flags: cloud.flags,
      context: { clock: new FakeClock(), computer: bareComputer, ...sshKey },
      resources: () => azure.list(),
      [Symbol.asyncDispose]: async () => await cloud[Symbol.asyncDispose](),
    };
  },
  { timeoutMs: 600_000 },
);
