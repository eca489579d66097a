/**
 * One use case in a process of its own, to be killed: `node run-use-case.ts STORE ENDPOINT create|rm|gc|load NAME`.
 * With KILL_AT=n it kills itself at the n-th instant where something is about to become durable.
 */
import { createMachine } from "../../src/machine/create.ts";
import { findLeftovers } from "../../src/machine/gc.ts";
import { removeMachine } from "../../src/machine/remove.ts";
import { driverOptions } from "../../src/driver-kit/flags.ts";
import { safetyPorts } from "./safety-ports.ts";

const [storePath = "", endpoint = "", command = "", name = ""] = process.argv.slice(2);
const killAt = Number(process.env["KILL_AT"] ?? 0);
let instants = 0;
const ports = safetyPorts(storePath, () => {
  instants += 1;
  if (instants === killAt) process.kill(process.pid, "SIGKILL");
});
const signal = AbortSignal.timeout(30_000);

try {
  if (command === "create") {
    const values = { "fakecloud-endpoint": endpoint, "engine-install-url": "", "swarm-host": "" };
    await createMachine(ports, { name, driverName: "fakecloud", options: driverOptions(values) }, signal);
  }
  if (command === "rm") await removeMachine(ports, { name, force: false, restore: false }, signal);
  if (command === "gc") console.log(JSON.stringify(await findLeftovers(ports, signal)));
  console.log(JSON.stringify({ instants }));
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
