/** Contexts and entries of ssh_config follow their machine. That they cannot is said, and is no reason for a command to fail. */
import { isMachineError, messageOf } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import type { Host } from "../host/host.ts";
import type { MachineContext } from "../machine-context.ts";
import { contextDrift, moveContext, refreshContext, removeContext } from "./contexts.ts";
import { refreshSshEntry, sshEntryDrift } from "./ssh-entries.ts";

/** After the record was saved. */
export async function keepInStep(context: MachineContext, host: Host): Promise<void> {
  if (!hasDockerConfig(context)) return;
  await mildly(context, host.name, "The docker context", async () => await refreshContext(context, host));
  await mildly(context, host.name, "The entry of ssh_config", async () => await refreshSshEntry(context, host));
}

/** Before the machine's folder goes; its entry of ssh_config goes with that. */
export async function forgetIntegration(context: MachineContext, name: string): Promise<void> {
  if (!hasDockerConfig(context)) return;
  await mildly(context, name, "The docker context", async () => void (await removeContext(context, name)));
}

/** After a machine was renamed. */
export async function moveIntegration(context: MachineContext, oldName: string, host: Host): Promise<void> {
  await mildly(context, host.name, "The docker context", async () => await moveContext(context, oldName, host));
  await mildly(context, host.name, "The entry of ssh_config", async () => await refreshSshEntry(context, host));
}

/** Without a home there is nothing that could be kept in step, and nothing to be said. */
function hasDockerConfig({ computer: { env, homeDir } }: MachineContext): boolean {
  return homeDir !== undefined || (env["DOCKER_CONFIG"] ?? "") !== "";
}

export interface IntegrationDrift {
  readonly what: string;
  repair(): Promise<void>;
}

/** What is not as the machine is. */
export async function integrationDrift(context: MachineContext, host: Host): Promise<IntegrationDrift[]> {
  if (!hasDockerConfig(context)) return [];
  const [ofContext, ofEntry] = [await contextDrift(context, host), await sshEntryDrift(context, host)];
  return [
    ...(ofContext === undefined ? [] : [{ what: ofContext, repair: async () => await refreshContext(context, host, true) }]),
    ...(ofEntry === undefined ? [] : [{ what: ofEntry, repair: async () => await refreshSshEntry(context, host) }]),
  ];
}

async function mildly(context: MachineContext, name: string, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isMachineError(error)) throw error;
    // Somebody else's context of that name is none of ours to follow anything.
    const level = error.code === "context-foreign" || error.code === "machine-not-running" ? "debug" : "warn";
    logTo(context.reportFor(name), level, `${what} of "${name}" was left as it is: ${messageOf(error)}`);
  }
}
