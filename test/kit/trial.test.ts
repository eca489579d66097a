/** The suites that every driver passes: a good driver does, and each flaw is found by the one that is for it. */
import { describeDriverCrashes, crashMachineName } from "../../src/testing/crash-suite.ts";
import { FakeClock } from "../../src/system/fake-clock.ts";
import { FakeProvider } from "../../src/testing/fake-provider.ts";
import { trialModule } from "./trial-driver.ts";

describeDriverCrashes("trial", async () => {
  const clock = new FakeClock();
  const provider = await FakeProvider.start();
  for (const kind of ["instance", "key"]) provider.addForeign(kind, crashMachineName);
  return {
    module: trialModule(),
    flags: { "trial-endpoint": provider.url, "trial-token": "t" },
    context: { clock },
    resources: () => provider.list(),
    [Symbol.asyncDispose]: async () => await provider[Symbol.asyncDispose](),
  };
});
