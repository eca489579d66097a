/** The suites on a trial driver: it passes them, but for the flaw that TRIAL_FLAW gives it. */
import { describeDriverCrashes, crashMachineName } from "../../src/testing/crash-suite.ts";
import { describeDriverContract } from "../../src/testing/driver-contract.ts";
import { FakeClock } from "../../src/system/fake-clock.ts";
import { FakeProvider } from "../../src/testing/fake-provider.ts";
import { trialModule, type TrialFlaw } from "./trial-driver.ts";

const module = trialModule((process.env["TRIAL_FLAW"] ?? "") as TrialFlaw);

async function fixture() {
  const provider = await FakeProvider.start();
  provider.token = "the-right-token";
  for (const kind of ["instance", "key"]) {
    for (const name of [crashMachineName, "contract-1"]) provider.addForeign(kind, name);
  }
  const foreign = new Set(provider.list().map(({ id }) => id));
  const instance = () => [...provider.resources.all.values()].find(({ kind, id }) => kind === "instance" && !foreign.has(id));
  return {
    module,
    flags: { "trial-endpoint": provider.url, "trial-token": "the-right-token" },
    context: { clock: new FakeClock() },
    resources: () => provider.list(),
    address: () => instance()?.address ?? "",
    loseInstance: () => void provider.resources.all.delete(instance()?.id ?? ""),
    [Symbol.asyncDispose]: async () => await provider[Symbol.asyncDispose](),
  };
}

describeDriverContract("trial", fixture, { refusedFlags: {}, lifecycle: { timeoutMs: 20_000 } });
describeDriverCrashes("trial", fixture);
