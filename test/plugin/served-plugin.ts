/** A program that serves the sample driver: what an installed plugin of ours is, without the command line around it. */
import { writeSync } from "node:fs";
import { Redactor } from "../../src/log/redact.ts";
import { serveDriver } from "../../src/plugin/serve.ts";
import { systemClock } from "../../src/system/clock.ts";
import { thisComputer } from "../../src/system/computer.ts";
import { HttpClient } from "../../src/system/http-request.ts";
import { SystemProcessRunner } from "../../src/system/process.ts";
import { sampleModule } from "./sample-driver.ts";

/** At once, so that nothing is left to write at the end; a reader that went away is no reason to stop. */
function write(descriptor: number, text: string): void {
  try {
    writeSync(descriptor, text);
  } catch {
    // Nobody reads any more.
  }
}

const computer = thisComputer();
const unused = (): Promise<never> => Promise.reject(new Error("not in this test"));
const status = await serveDriver(sampleModule, {
  computer,
  processes: new SystemProcessRunner(computer),
  clock: systemClock,
  redactor: new Redactor(),
  signal: new AbortController().signal,
  writeOut: (text) => write(1, text),
  writeErr: (text) => write(2, text),
  openSsh: unused,
  ensureSshKey: unused,
  http: new HttpClient({ env: {}, clock: systemClock }),
  operationMs: 10_000,
});
process.exit(status);
