import assert from "node:assert/strict";
import { test } from "node:test";
import type { DriverModule } from "../../driver-kit/driver.ts";
import { driverModule as generic } from "../../drivers/generic/index.ts";
import { driverModule as qemu } from "../../drivers/qemu/index.ts";
import { isMachineError, MachineError } from "../../errors/machine-error.ts";
import { FakeClock } from "../../system/fake-clock.ts";
import type { MachineContext } from "../machine-context.ts";
import { defaultTimeouts } from "../timeouts.ts";
import type { Host } from "./host.ts";
import { notRunning, requireReachable } from "./not-running.ts";

const context = { clock: new FakeClock(), timeouts: defaultTimeouts } as unknown as MachineContext;
const signal = new AbortController().signal;

function hostOf(module: DriverModule, driver: object = {}): Host {
  return { name: "web", module, driver } as unknown as Host;
}

/** A machine whose provider lends addresses. */
function movingTo(present: string, fault?: Error): Host {
  let address = "192.0.2.1";
  const locate = async (): Promise<void> => {
    if (fault !== undefined) throw fault;
    address = present;
  };
  return hostOf(qemu, { locate, getIp: async () => address });
}

test("0.16.2's sentence, and what helps in that state by that driver", () => {
  const hints = [
    [qemu, "Stopped", /^Start it with: docker-machine start web$/u],
    [qemu, "Saved", /^Start it with: docker-machine start web$/u],
    [qemu, "Stopping", /^It is stopping: try again/u],
    [qemu, "Error", /docker-machine status web/u],
    [generic, "Stopped", /^It cannot be started from here/u],
  ] as const;
  for (const [module, state, hint] of hints) {
    const error = notRunning(hostOf(module), state);
    assert.deepEqual([error.code, error.message], ["machine-not-running", "Host is not running"]);
    assert.match(error.hint ?? "", hint);
  }
});

test("a machine that is somewhere else is told as that, with the way out", async () => {
  await assert.rejects(requireReachable(context, movingTo("192.0.2.9"), "Running", signal), (error) => {
    assert.ok(isMachineError(error, "machine-state"));
    assert.equal(error.message, '"web" runs at another address than before: 192.0.2.9, not 192.0.2.1');
    assert.match(error.hint ?? "", /docker-machine regenerate-certs web$/u);
    return true;
  });
});

test("where it is where it was, or nobody can say, there is nothing more to say", async () => {
  await requireReachable(context, movingTo("192.0.2.1"), "Running", signal);
  await requireReachable(context, movingTo(""), "Running", signal);
  await requireReachable(context, movingTo("", new MachineError("provider-credentials", "none")), "Running", signal);
  await requireReachable(context, hostOf(qemu), "Running", signal);
});

test("a stopped machine is looked for nowhere", async () => {
  const error = await requireReachable(context, movingTo("192.0.2.9"), "Stopped", signal).catch((thrown: unknown) => thrown);
  assert.ok(isMachineError(error, "machine-not-running"));
});
