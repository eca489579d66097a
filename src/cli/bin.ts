/** The program's entry: gives `main` this process's arguments, streams and signals. Nothing else may be decided here. */
import * as path from "node:path";
import { systemClock } from "../system/clock.ts";
import { currentPlatform, type HostPlatform } from "../system/host-platform.ts";
import { commandTable } from "./command-table.ts";
import { main, type MainPorts } from "./main.ts";
import { processStreams } from "./terminal/process-streams.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** How long handles that a command forgot to close may keep the finished program alive. */
const lingerMs = 2_000;

const bunVersion = process.versions["bun"];

const ports: MainPorts = {
  commands: commandTable,
  clock: systemClock,
  runtime: bunVersion === undefined ? `Node ${process.versions.node}` : `Bun ${bunVersion}`,
  driverFlags: async (name) => await (await import("./driver-catalog.ts")).flagsOfDriver(name),
  onInterrupt(listener) {
    for (const signal of signals) process.on(signal, listener);
    return () => {
      for (const signal of signals) process.off(signal, listener);
    };
  },
  exitNow: (code) => process.exit(code),
};

/**
 * The program as the user typed it. DOCKER_MACHINE_ARGV0 is set by launchers; a program found on PATH is shown by its
 * bare name, as a shell's argv[0] would be.
 */
function programPath(platform: HostPlatform): string {
  const given = platform.env["DOCKER_MACHINE_ARGV0"];
  if (given !== undefined && given !== "") return given;
  const compiled = bunVersion !== undefined && /^(?:\/\$bunfs\/|[A-Z]:[\\/]~BUN)/u.test(process.argv[1] ?? "");
  const script = compiled ? process.argv0 : (process.argv[1] ?? process.argv0);
  const folders = (platform.env["PATH"] ?? "").split(path.delimiter);
  return folders.includes(path.dirname(script)) ? path.basename(script) : script;
}

async function start(): Promise<void> {
  const platform = currentPlatform();
  process.exitCode = await main([programPath(platform), ...process.argv.slice(2)], platform, processStreams(), ports);
  setTimeout(() => process.exit(), lingerMs).unref();
}

void start();
