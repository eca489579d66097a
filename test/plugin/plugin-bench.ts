/** What driver plugins cost, measured with the Go peer. Run by itself, or by the project's bench. */
import { once } from "node:events";
import { driverOptions } from "../../src/driver-kit/create-flag.ts";
import { findPluginModule, loadPluginModule } from "../../src/plugin/plugin-module.ts";
import { systemClock } from "../../src/system/clock.ts";
import { goPeer } from "./go-peer.ts";
import { pluginFixture, runtimeWith, type PluginFixture } from "./plugin-fixture.ts";

export interface Measurement {
  readonly what: string;
  readonly ms: number;
  /** What is promised, where something is. */
  readonly boundMs?: number;
}

const repeats = 20;
const calls = 1_000;
const machines = 50;
const never = new AbortController().signal;

/** Undefined where Go is not installed. */
export async function measurePlugins(): Promise<readonly Measurement[] | undefined> {
  const peer = await goPeer();
  if (peer.skip !== false) return undefined;
  await using fixture = await pluginFixture();
  await fixture.addProgram("gopeer", peer.program);
  const startMs = await median(() => startAlone(fixture, peer.program));
  const loadMs = await median(() => loadFlags(fixture));
  return [
    { what: "start of a Go plugin, to its address", ms: startMs },
    { what: "handshake, flags and close, over that", ms: loadMs - startMs, boundMs: 40 },
    { what: `${calls} calls, one after the other`, ms: await timed(() => callOften(fixture)), boundMs: 600 },
    { what: `state of ${machines} machines, 8 processes at a time`, ms: await timed(() => lookAtMany(fixture)) },
  ];
}

async function startAlone(fixture: PluginFixture, program: string): Promise<void> {
  const env = { ...fixture.computer.env, MACHINE_PLUGIN_TOKEN: "42" };
  const child = fixture.processes.spawn(program, [], { stdio: ["ignore", "pipe", "pipe"], env });
  if (child.stdout !== null) await once(child.stdout, "data");
  child.kill("SIGKILL");
}

async function loadFlags(fixture: PluginFixture): Promise<void> {
  await loadPluginModule("gopeer", { ...fixture, clock: systemClock, report: fixture.context.report }, runtimeWith());
}

async function callOften(fixture: PluginFixture): Promise<void> {
  const driver = (await findPluginModule("gopeer", fixture.computer, runtimeWith())).open(fixture.context, undefined);
  await driver.setConfigFromFlags(driverOptions({}));
  for (let call = 0; call < calls; call++) await driver.getIp();
  await driver.close?.();
}

async function lookAtMany(fixture: PluginFixture): Promise<void> {
  const module = await findPluginModule("gopeer", fixture.computer, runtimeWith());
  const look = async (): Promise<void> => {
    const driver = module.open(fixture.context, '{"State":1}');
    await driver.getState(never);
    await driver.close?.();
  };
  await Promise.all(Array.from({ length: machines }, look));
}

async function timed(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

async function median(work: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  while (times.length < repeats) times.push(await timed(work));
  return times.toSorted((a, b) => a - b)[repeats / 2] ?? 0;
}

if (import.meta.main) {
  for (const { what, ms, boundMs } of (await measurePlugins()) ?? []) {
    console.log(`${what.padEnd(48)} ${ms.toFixed(1).padStart(8)} ms${boundMs === undefined ? "" : `   (at most ${boundMs} ms)`}`);
  }
}
