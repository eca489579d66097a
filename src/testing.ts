/** `docker-machine/testing`: the contract suite every driver must pass, and the context it gives a driver under test. */
export { describeDriverContract, type DriverContractFixture } from "./testing/driver-contract.ts";
export { testDriverContext, type TestContext } from "./testing/driver-context.ts";
