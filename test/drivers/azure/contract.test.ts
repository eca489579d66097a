/** The contract of drivers, on a fake Azure of its own for each test, beside what others have. */
import { driverModule } from "../../../src/drivers/azure/index.ts";
import { FakeClock } from "../../../src/system/fake-clock.ts";
import { describeDriverContract } from "../../../src/testing/driver-contract.ts";
import { addForeign } from "./foreign.ts";
import { bareComputer } from "../driver-scene.ts";
import { openCloud, sshKey } from "./scene.ts";

describeDriverContract(
  "azure",
  async () => {
    const cloud = await openCloud();
    const { azure } = cloud;
    azure.groups.set("docker-machine", { location: "westus" });
    azure.retryAfter = 0;
    addForeign(azure, "contract-1");
    const ours = (kind: string) =>
      [...azure.entries.values()].find((each) => each.id.includes("/docker-machine/providers/") && each.type.endsWith(kind));
    return {
      module: driverModule,
      flags: cloud.flags,
      context: { clock: new FakeClock(), computer: bareComputer, ...sshKey },
      resources: () => azure.list(),
      address: () => ours("/publicipaddresses")?.address ?? "",
      loseInstance: () => {
        const machine = ours("/virtualmachines");
        if (machine !== undefined) azure.lose(machine.id);
      },
      [Symbol.asyncDispose]: async () => await cloud[Symbol.asyncDispose](),
    };
  },
  { refusedFlags: { "azure-location": "westus" }, lifecycle: { timeoutMs: 240_000 } },
);
