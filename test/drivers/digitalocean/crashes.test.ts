/** The crash suite: the driver is killed at each step of create and rm, beside what others have of the same kinds and name. */
import { driverModule } from "../../../src/drivers/digitalocean/index.ts";
import { FakeClock } from "../../../src/system/fake-clock.ts";
import { crashMachineName, describeDriverCrashes, type DriverCrashFixture } from "../../../src/testing/crash-suite.ts";
import { FakeDigitalOcean } from "./fake-digitalocean.ts";
import { bareComputer } from "../driver-scene.ts";
import { fakeFlags, resourcesOf } from "./scene.ts";

for (const [what, flags] of Object.entries({
  digitalocean: {},
  "digitalocean, with a firewall": { "digitalocean-open-cidr": ["192.0.2.0/24"] },
})) {
  describeDriverCrashes(what, async (): Promise<DriverCrashFixture> => {
    const cloud = await FakeDigitalOcean.start();
    cloud.addForeignDroplet(crashMachineName, ["docker-machine:another"]);
    cloud.addForeignDroplet("other");
    cloud.addKey(crashMachineName, "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQA= theirs");
    return {
      module: driverModule,
      flags: { ...fakeFlags(cloud), ...flags },
      context: { clock: new FakeClock(), computer: bareComputer },
      resources: () => resourcesOf(cloud),
      [Symbol.asyncDispose]: async () => await cloud[Symbol.asyncDispose](),
    };
  });
}
