/** The contract of drivers, at the stand-in beside virtual machines of others. */
import { driverModule } from "../../../src/drivers/hyperv/index.ts";
import { contractMachineName } from "../../../src/testing/contract-life.ts";
import { describeDriverContract } from "../../../src/testing/driver-contract.ts";
import { HastyClock } from "../../support/hasty-clock.ts";
import { baseFlags, newWorld, recordOf016, resourcesOf } from "./scene.ts";

describeDriverContract(
  "hyperv",
  async () => {
    const { hyperv, context } = newWorld(new HastyClock());
    hyperv.addForeign(contractMachineName, { Notes: "docker-machine:another" });
    hyperv.addForeign(contractMachineName, { State: "Running" });
    const foreign = new Set(hyperv.state.vms.map(({ Id }) => Id));
    const own = (): string => hyperv.state.vms.find(({ Id }) => !foreign.has(Id))?.Id ?? "";
    return {
      module: driverModule,
      flags: { ...baseFlags, "hyperv-vlan-id": 7 },
      context,
      resources: () => resourcesOf(hyperv),
      address: () => hyperv.addressOf(own()),
      loseInstance: () => hyperv.lose(own()),
      records: [
        JSON.stringify(recordOf016()),
        // Rancher's fork has one more field, behind the first.
        JSON.stringify({ IPAddress: "192.0.2.7", IPv6Address: "", ...recordOf016({ IPAddress: "192.0.2.7" }) }),
        JSON.stringify(recordOf016({ VSwitch: "LAN", MacAddr: "00155D010203", VLanID: 7, DisableDynamicMemory: true })),
      ],
    };
  },
  { refusedFlags: { "hyperv-memory": 1_025 }, lifecycle: { timeoutMs: 120_000 } },
);
