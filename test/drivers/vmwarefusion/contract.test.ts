/** The contract of drivers, at the stand-in beside virtual machines of others. */
import { driverModule } from "../../../src/drivers/vmwarefusion/index.ts";
import { contractMachineName } from "../../../src/testing/contract-life.ts";
import { describeDriverContract } from "../../../src/testing/driver-contract.ts";
import { HastyClock } from "../../support/hasty-clock.ts";
import { baseFlags, newWorld, recordOf016, resourcesOf } from "./scene.ts";

describeDriverContract(
  "vmwarefusion",
  async () => {
    const { vmware, context } = newWorld(new HastyClock());
    const foreign = new Set([vmware.addForeign(contractMachineName, true), vmware.addForeign("other")]);
    const own = (): string => vmware.machines.find((vmx) => !foreign.has(vmx)) ?? "";
    return {
      module: driverModule,
      flags: baseFlags,
      context,
      resources: () => resourcesOf(vmware),
      address: () => vmware.addressOf(own()),
      loseInstance: () => vmware.lose(own()),
      records: [
        JSON.stringify(recordOf016()),
        // Rancher's fork has one more field, behind the first.
        JSON.stringify({ IPAddress: "192.0.2.7", IPv6Address: "", ...recordOf016({ IPAddress: "192.0.2.7" }) }),
        JSON.stringify(recordOf016({ NoShare: true, ConfigDriveURL: "/c.iso", ConfigDriveISO: "/m/configdrive.iso" })),
      ],
      publicFlags: ["vmwarefusion-ssh-password"],
    };
  },
  { refusedFlags: { "vmwarefusion-memory-size": 1_025 }, lifecycle: { timeoutMs: 120_000 } },
);
