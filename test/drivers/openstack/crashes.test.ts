/** The crash suite: the driver is killed at each step of create and rm, beside what others have of the same kinds and name. */
import { driverModule } from "../../../src/drivers/openstack/index.ts";
import { FakeClock } from "../../../src/system/fake-clock.ts";
import { crashMachineName, describeDriverCrashes, type DriverCrashFixture } from "../../../src/testing/crash-suite.ts";
import { FakeOpenStack } from "./fake-openstack.ts";
import { everything, fakeFlags, prefixed, resourcesOf, placelessComputer } from "./scene.ts";

describeDriverCrashes(
  "openstack",
  async (): Promise<DriverCrashFixture> => {
    const cloud = await FakeOpenStack.start();
    // Pages are another test's.
    cloud.shelf.pageSize = 100;
    cloud.nova.addServer(crashMachineName, { "docker-machine-create-id": "another" });
    cloud.nova.addServer("other", { "docker-machine-create-id": `test-${crashMachineName}` });
    cloud.nova.addKeyPair(crashMachineName, "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQA= theirs");
    cloud.neutron.addGroup(`docker-machine-${crashMachineName}`, "docker-machine:another");
    cloud.neutron.addFloatingIp();
    cloud.cinder.add(`${crashMachineName}-data`, 1);
    return {
      module: driverModule,
      flags: { ...fakeFlags(cloud), ...prefixed(everything) },
      context: { clock: new FakeClock(), computer: placelessComputer },
      resources: () => resourcesOf(cloud),
      [Symbol.asyncDispose]: async () => await cloud[Symbol.asyncDispose](),
    };
  },
  { timeoutMs: 300_000 },
);
