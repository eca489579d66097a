/** The crash suite: the driver is killed at each step of create and rm, beside what others have of the same kinds and name. */
import { FakeClock } from "../../../src/system/fake-clock.ts";
import { crashMachineName, describeDriverCrashes, type DriverCrashFixture } from "../../../src/testing/crash-suite.ts";
import { addForeignVm, openWorld } from "./scene.ts";

for (const [what, theirs] of Object.entries({
  virtualbox: undefined,
  "virtualbox, in a network that is there": { address: "192.168.59.1", lower: "192.168.59.100", upper: "192.168.59.254" },
})) {
  describeDriverCrashes(what, async (): Promise<DriverCrashFixture> => {
    const world = openWorld({ clock: new FakeClock() });
    await addForeignVm(world, crashMachineName);
    const { interfaces, dhcp } = world.vbox.state;
    interfaces.push({ name: "vboxnet0", address: theirs?.address ?? "192.168.57.1", netmask: "255.255.255.0" });
    Object.assign(dhcp[0] ?? {}, { lower: "192.168.57.100", upper: "192.168.57.254" }, theirs);
    return {
      module: world.module,
      flags: world.flags,
      context: world.context,
      resources: () => world.resources(),
      [Symbol.asyncDispose]: async () => await world[Symbol.asyncDispose](),
    };
  });
}
