/** Serving a driver as this process: what `driver serve` and the executables of driver authors do. Part of the composition root. */
import * as path from "node:path";
import type { Driver, DriverModule } from "../driver-kit/driver.ts";
import { sshTargetOf, type SshTerms } from "../driver-kit/ssh-target.ts";
import { reportNothing } from "../log/event.ts";
import { Redactor } from "../log/redact.ts";
import { withoutPluginVariables } from "../plugin/plugin-environment.ts";
import { serveDriver, type ServedMachine } from "../plugin/serve.ts";
import { chooseSshBackend, openSshExecutor } from "../ssh/connect.ts";
import type { SshExecutor } from "../ssh/executor.ts";
import { ensureKeyPair } from "../ssh/keys.ts";
import { systemClock } from "../system/clock.ts";
import { thisComputer, type Computer } from "../system/computer.ts";
import { LazyHttp } from "./lazy-http.ts";
import { openDescriptor } from "../system/descriptor.ts";
import { SystemProcessRunner } from "../system/process.ts";
import { ProcessOutput, type OutputStream } from "../system/process-output.ts";
import { timeoutsOf } from "./timeout-variables.ts";

export interface ServeEnvironment {
  readonly computer: Computer;
  readonly streams: { readonly stdout: OutputStream; readonly stderr: OutputStream };
  readonly redactor: Redactor;
  readonly signal: AbortSignal;
  readonly nativeSsh: boolean;
}

const connectTimeoutMs = 10_000;

/** Serves until the tool has done with it; gives the exit status. */
export async function serveWith(module: DriverModule, environment: ServeEnvironment): Promise<number> {
  const { computer, streams, redactor, signal, nativeSsh } = environment;
  const processes = new SystemProcessRunner(withoutPluginVariables(computer));
  const timeouts = timeoutsOf(computer.env);
  const openSsh = async (driver: Driver, machine: ServedMachine): Promise<SshExecutor> => {
    const backend = await chooseSshBackend(nativeSsh, processes);
    return await openSshExecutor(backend, await sshTargetOf(driver, machine.machineName, termsOf(machine)), {
      processes,
      computer,
      clock: systemClock,
      report: reportNothing,
    });
  };
  return await serveDriver(module, {
    computer,
    processes,
    http: new LazyHttp({ env: computer.env, clock: systemClock, boundMs: timeouts.providerRequestMs }),
    operationMs: timeouts.providerOperationMs,
    clock: systemClock,
    redactor,
    signal,
    writeOut: (text) => streams.stdout.write(text),
    writeErr: (text) => streams.stderr.write(text),
    openSsh,
    ensureSshKey: async ({ machineDir, machineName }, wish) => await ensureKeyPair(machineDir, machineName, computer, wish?.type),
  });
}

/** The whole program of a plugin: serves the driver and ends the process. For `docker-machine-driver-NAME` executables. */
export async function servePlugin(module: DriverModule): Promise<never> {
  const computer = thisComputer();
  const needsStream = computer.os === "windows";
  const streams = {
    stdout: new ProcessOutput({ descriptor: openDescriptor(1), stream: () => process.stdout, needsStream }),
    stderr: new ProcessOutput({ descriptor: openDescriptor(2), stream: () => process.stderr, needsStream }),
  };
  const { signal } = new AbortController();
  process.exit(await serveWith(module, { computer, streams, redactor: new Redactor(), signal, nativeSsh: false }));
}

function termsOf({ machineName, machineDir }: ServedMachine): SshTerms {
  const hostKeys = {
    knownHostsFile: path.join(machineDir, "known_hosts"),
    alias: machineName,
    unknown: "trust-first-use",
  } as const;
  return { hostKeys, connectTimeoutMs };
}
