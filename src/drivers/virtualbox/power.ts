/** Switching a machine on and off, and the ports of this computer that lead to it. */
import * as path from "node:path";
import { defaultEnginePort } from "../../engine/engine-address.ts";
import { guestSshPort } from "../../driver-kit/guest/guest-ports.ts";
import { MachineError, messageOf } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { tailOf } from "../../system/disk-files.ts";
import { isPortFree, pickFreePort } from "../../system/loopback-port.ts";
import { poll } from "../../system/waiting.ts";
import { isUnknown, startFailure } from "./failures.ts";
import { cardArguments, ensureHostOnly, existingHostOnly } from "./host-only.ts";
import type { VirtualBoxConfig } from "./options.ts";
import { stateOf, type VmInfo } from "./vm-info.ts";
import { requireVm, type Workplace } from "./workplace.ts";

/** A guest may take its time to shut down; containers get ten seconds each from the engine. */
const shutdownMs = 120_000;
/** A guest that is still booting does not hear the power button. */
const powerButtonEveryMs = 5_000;
const startMs = 120_000;
const logTailBytes = 4_000;

/** Names of the rules; 0.16.2 knows the first. */
const forwards = { ssh: "ssh", engine: "docker" } as const;

/** Arguments of `modifyvm` that make the forwards. */
export function forwardArguments({ SSHPort, EnginePort }: Pick<VirtualBoxConfig, "SSHPort" | "EnginePort">): readonly string[] {
  const rule = (name: string, hostPort: number, guestPort: number): readonly string[] => [
    "--natpf1",
    `${name},tcp,127.0.0.1,${hostPort},,${guestPort}`,
  ];
  return [
    ...rule(forwards.ssh, SSHPort, guestSshPort),
    ...(EnginePort === 0 ? [] : rule(forwards.engine, EnginePort, defaultEnginePort)),
  ];
}

/** Starts a stopped or saved machine, and lets a paused one go on. */
export async function startVm(place: Workplace, info: VmInfo, signal: AbortSignal): Promise<void> {
  const { tool } = place;
  const state = stateOf(info);
  if (state === "Running" || state === "Starting") return;
  if (state === "Paused") {
    await tool.run(["controlvm", info.uuid, "resume"], signal);
    return;
  }
  // A saved machine cannot be changed.
  if (state === "Stopped") {
    await ensureCard(place, info, signal);
    await ensureForwards(place, info, signal);
  }
  await launch(place, info, signal);
}

/** Throws 0.16.2's sentence with what VirtualBox and the machine's log say. */
export async function launch(
  place: Workplace,
  { uuid, logFolder }: Pick<VmInfo, "uuid" | "logFolder">,
  signal: AbortSignal,
): Promise<void> {
  const { config, context, tool } = place;
  try {
    await tool.run(["startvm", uuid, "--type", config.UIType], signal, { timeoutMs: startMs });
  } catch (error) {
    signal.throwIfAborted();
    // Some versions start it and say otherwise.
    if (stateOf(await requireVm(place, signal)) === "Running") return;
    const log = await tailOf(path.join(logFolder, "VBox.log"), logTailBytes);
    throw startFailure(error, log, context.computer.os);
  }
}

/** Its host-only network may be gone with a new installation of VirtualBox. */
async function ensureCard(place: Workplace, { uuid, hostOnlyName }: VmInfo, signal: AbortSignal): Promise<void> {
  const { config, context, tool } = place;
  if (config.Network !== "hostonly" || (await existingHostOnly(place, [hostOnlyName], signal)).length > 0) return;
  const network = await ensureHostOnly(place, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new MachineError("driver-failed", `Error setting up host only network on machine start: ${messageOf(error)}`, {
      cause: error,
      hint: (error as MachineError).hint,
    });
  });
  config.HostOnlyName = network.name;
  await context.save();
  await tool.run(["modifyvm", uuid, ...cardArguments(network)], signal);
}

/** VirtualBox starts a machine whose port another program has, and only its log says that SSH leads nowhere. */
async function ensureForwards(place: Workplace, { uuid, forwards: rules }: VmInfo, signal: AbortSignal): Promise<void> {
  const { config, context, tool } = place;
  const isRight = (name: string, port: number): boolean => rules.some((rule) => rule.name === name && rule.hostPort === port);
  const isUsable = async (name: string, port: number): Promise<boolean> => isRight(name, port) && (await isPortFree(port));
  const isSshUsable = await isUsable(forwards.ssh, config.SSHPort);
  const isEngineUsable = config.Network !== "nat" || (await isUsable(forwards.engine, config.EnginePort));
  if (isSshUsable && isEngineUsable) return;
  if (!(await isPortFree(config.SSHPort)) || config.SSHPort === 0)
    config.SSHPort = await pickFreePort(new Set([config.EnginePort]));
  if (config.Network === "nat" && !(await isPortFree(config.EnginePort)))
    config.EnginePort = await pickFreePort(new Set([config.SSHPort]));
  await context.save();
  const known = rules.filter(({ name }) => name === forwards.ssh || name === forwards.engine);
  const dropped = known.flatMap(({ name }) => ["--natpf1", "delete", name]);
  await tool.run(["modifyvm", uuid, ...dropped, ...forwardArguments(config)], signal);
}

/** Presses the power button until the guest is off, and pulls the plug of one that does not hear. */
export async function stopVm(place: Workplace, signal: AbortSignal): Promise<void> {
  const { context, tool } = place;
  const press = async (): Promise<true | undefined> => {
    const info = await requireVm(place, signal);
    switch (stateOf(info)) {
      case "Stopped":
        return true;
      case "Saved":
        await discard(place, info.uuid, signal);
        return true;
      case "Paused":
        await tool.run(["controlvm", info.uuid, "resume"], signal);
        break;
      default:
    }
    await unlessOff(async () => await tool.run(["controlvm", info.uuid, "acpipowerbutton"], signal));
    return undefined;
  };
  const isOff = await poll({ ms: shutdownMs, clock: context.clock, signal }, powerButtonEveryMs, press);
  if (isOff === true) return;
  const seconds = shutdownMs / 1000;
  logTo(context.report, "warn", `"${context.machineName}" did not shut down within ${seconds} s and is switched off.`);
  await killVm(place, signal);
}

/** Switches the machine off, and drops what it has saved. */
export async function killVm(place: Workplace, signal: AbortSignal): Promise<void> {
  const info = await requireVm(place, signal);
  await powerOff(place, info, signal);
}

export async function powerOff(place: Workplace, info: VmInfo, signal: AbortSignal): Promise<void> {
  switch (stateOf(info)) {
    case "Stopped":
      return;
    case "Saved":
      return await discard(place, info.uuid, signal);
    default:
      await unlessOff(async () => await place.tool.run(["controlvm", info.uuid, "poweroff"], signal));
  }
}

async function discard({ tool }: Workplace, uuid: string, signal: AbortSignal): Promise<void> {
  await tool.run(["discardstate", uuid], signal);
}

async function unlessOff(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isUnknown(error)) throw error;
  }
}
