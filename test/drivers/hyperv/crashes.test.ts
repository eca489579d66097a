/** The crash suite: killed at each step of create and rm, beside virtual machines of others with the machine's name. */
import { driverModule } from "../../../src/drivers/hyperv/index.ts";
import { FakeClock } from "../../../src/system/fake-clock.ts";
import { crashMachineName, describeDriverCrashes, type DriverCrashFixture } from "../../../src/testing/crash-suite.ts";
import { baseFlags, newWorld, resourcesOf } from "./scene.ts";

describeDriverCrashes("hyperv", async (): Promise<DriverCrashFixture> => {
  const { hyperv, context } = newWorld(new FakeClock(), { addressMs: 0 });
  hyperv.addForeign(crashMachineName, { Notes: "docker-machine:another" });
  hyperv.addForeign(crashMachineName, { State: "Running" });
  hyperv.addForeign("other", { Notes: `docker-machine:test-${crashMachineName}` });
  return { module: driverModule, flags: baseFlags, context, resources: () => resourcesOf(hyperv) };
});
