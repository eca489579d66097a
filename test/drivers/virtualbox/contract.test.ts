/** The contract of drivers on the stand-in, as on Linux, Windows and a Mac, and with NAT alone. */
import type { FlagValue } from "../../../src/driver-kit/create-flag.ts";
import { contractMachineName } from "../../../src/testing/contract-life.ts";
import { describeDriverContract } from "../../../src/testing/driver-contract.ts";
import type { OsName } from "../../../src/system/computer.ts";
import { addForeignVm, openWorld, recordOf016 } from "./scene.ts";

const variants: Readonly<Record<string, { readonly os: OsName; readonly flags: Readonly<Record<string, FlagValue>> }>> = {
  virtualbox: { os: "linux", flags: {} },
  "virtualbox, with NAT alone": { os: "linux", flags: { "virtualbox-network": "nat" } },
  "virtualbox, on Windows": { os: "windows", flags: {} },
  "virtualbox, on a Mac": { os: "darwin", flags: { "virtualbox-hostonly-address": "192.168.59.7" } },
};

for (const [what, { os, flags }] of Object.entries(variants)) {
  describeDriverContract(
    "virtualbox",
    async () => {
      const world = openWorld({ fake: { os }, computer: { os } });
      const { vbox } = world;
      await addForeignVm(world, contractMachineName);
      if (os !== "darwin") vbox.state.interfaces.push({ name: nameOn(os), address: "192.168.57.1", netmask: "255.255.255.0" });
      const foreign = new Set(vbox.state.vms.map(({ uuid }) => uuid));
      const own = () => vbox.state.vms.find(({ uuid }) => !foreign.has(uuid));
      return {
        module: world.module,
        flags: { ...world.flags, ...flags },
        context: world.context,
        resources: () => world.resources(),
        ...(os === "linux" && what === "virtualbox" ? { address: () => own()?.address ?? "" } : {}),
        loseInstance: () => void (vbox.state.vms = vbox.state.vms.filter((vm) => vm !== own())),
        records: [
          JSON.stringify(recordOf016()),
          JSON.stringify({ ...recordOf016({ IPAddress: "" }), SwarmDiscovery: "token://x", Boot2DockerURL: "file:///b.iso" }),
        ],
        [Symbol.asyncDispose]: async () => await world[Symbol.asyncDispose](),
      };
    },
    { refusedFlags: { "virtualbox-hostonly-cidr": "192.168.59.0/24" }, lifecycle: { timeoutMs: 60_000 } },
  );
}

function nameOn(os: OsName): string {
  return os === "windows" ? "VirtualBox Host-Only Ethernet Adapter" : "vboxnet0";
}
