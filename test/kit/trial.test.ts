/** The suites on a trial driver: it passes them, but for the flaw that TRIAL_FLAW gives it. */
import { describeDriverCrashes, crashMachineName } from "../../src/testing/crash-suite.ts";
import { contractMachineName } from "../../src/testing/contract-life.ts";
import { describeDriverContract } from "../../src/testing/driver-contract.ts";
import { FakeClock } from "../../src/system/fake-clock.ts";
import { FakeProvider } from "../../src/testing/fake-provider.ts";
import { trialModule, type TrialFlaw } from "./trial-driver.ts";

const module = trialModule((process.env["TRIAL_FLAW"] ?? "") as TrialFlaw);

async function fixture() {
  const provider = await FakeProvider.start();
  provider.token = "the-right-token";
  for (const kind of ["instance", "key"])
    for (const name of [crashMachineName, contractMachineName]) provider.addForeign(kind, name);
  const flags = { "trial-endpoint": provider.url, "trial-token": "the-right-token" };
  return { ...provider.fixture(), module, flags, context: { clock: new FakeClock() } };
}

describeDriverContract("trial", fixture, { refusedFlags: {}, lifecycle: { timeoutMs: 20_000 } });
describeDriverCrashes("trial", fixture);
