/**
 * `@docker-machine/cli/testing`: the suites that every driver passes, the context they give a driver under test, and a provider
 * in this process with the vices of real ones.
 */
export {
  crashMachineName,
  describeDriverCrashes,
  type DriverCrashFixture,
  type DriverCrashOptions,
} from "./testing/crash-suite.ts";
export { contractMachineName } from "./testing/contract-life.ts";
export type { DriverContractFixture } from "./testing/contract-world.ts";
export { describeDriverContract, type DriverContractOptions } from "./testing/driver-contract.ts";
export { testMachine, type TestMachine } from "./testing/test-machine.ts";
export { testDriverContext, type TestContext } from "./testing/driver-context.ts";
export type { FakeAccount, FakeAnswer, FakeApi, FakeRequest } from "./testing/fake-api.ts";
export { FakeProvider, type FakeProviderOptions, type ProviderFixture } from "./testing/fake-provider.ts";
export { FakeResources, Refusal, type FakeResource, type InstanceAction, type ResourceWish } from "./testing/fake-resources.ts";
export { virtuous, type RequestMatch, type Trouble, type Vices } from "./testing/vices.ts";
export { FakeClock } from "./system/fake-clock.ts";
