/** A program that serves the sample driver: what an installed plugin of ours is, without the command line around it. */
import { Redactor } from "../../src/log/redact.ts";
import { serveDriver } from "../../src/plugin/serve.ts";
import { systemClock } from "../../src/system/clock.ts";
import { currentPlatform } from "../../src/system/host-platform.ts";
import { SystemProcessRunner } from "../../src/system/process.ts";
import { sampleModule } from "./sample-driver.ts";

for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
const platform = currentPlatform();
const unused = (): Promise<never> => Promise.reject(new Error("not in this test"));
const status = await serveDriver(sampleModule, {
  platform,
  processes: new SystemProcessRunner(platform),
  clock: systemClock,
  redactor: new Redactor(),
  signal: new AbortController().signal,
  writeOut: (text) => void process.stdout.write(text),
  writeErr: (text) => void process.stderr.write(text),
  openSsh: unused,
  ensureSshKey: unused,
});
process.exit(status);
