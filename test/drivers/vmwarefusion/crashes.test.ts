/** The crash suite: killed at each step of create and rm, beside virtual machines of others with the machine's name. */
import { driverModule } from "../../../src/drivers/vmwarefusion/index.ts";
import { FakeClock } from "../../../src/system/fake-clock.ts";
import { crashMachineName, describeDriverCrashes, type DriverCrashFixture } from "../../../src/testing/crash-suite.ts";
import { baseFlags, newWorld, resourcesOf } from "./scene.ts";

describeDriverCrashes("vmwarefusion", async (): Promise<DriverCrashFixture> => {
  const { vmware, context } = newWorld(new FakeClock());
  vmware.addForeign(crashMachineName, true);
  vmware.addForeign("other");
  return { module: driverModule, flags: baseFlags, context, resources: () => resourcesOf(vmware) };
});
