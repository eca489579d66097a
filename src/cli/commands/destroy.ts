/** `destroy --fleet NAME`: asks for the fleet's name, and removes its machines. */
import { lockFleet } from "../../fleet/apply/apply.ts";
import { abandonClusters } from "../../fleet/apply/clusters.ts";
import { machinesOfFleet } from "../../fleet/apply/destroy.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { isProvisioned } from "../../machine/host/host.ts";
import { openHost } from "../../machine/host/open-host.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import { removeMachine } from "../../machine/remove.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { workOnNamed } from "../named-machines.ts";
import { openContext } from "../open-context.ts";
import { UsageError } from "../usage-error.ts";

export async function run({ options }: Invocation, context: CliContext): Promise<void> {
  const fleet = options.string("fleet");
  if (fleet === "") throw new UsageError("Error: --fleet says whose machines are meant", { showHelp: true });
  const machineContext = openContext(context);
  await using _lock = await lockFleet(machineContext, fleet, "destroy", context.signal);
  const { names, unreadable } = await machinesOfFleet(machineContext, fleet);
  if (unreadable.length > 0)
    logTo(context.report, "warn", `Left out, because their records cannot be read: ${unreadable.toSorted().join(", ")}`);
  context.print(`About to remove ${names.join(", ")}`);
  const boxes = await boxesAmong(machineContext, names);
  if (boxes.size < names.length) context.print("WARNING: This action will delete both local references and remote instances.");
  const willRestore = options.bool("restore");
  if (boxes.size > 0) context.print(`${[...boxes].join(", ")}: ${willRestore ? "given back as they were" : stays}`);
  await requireName(fleet, context);
  await abandonClusters(machineContext, names, context.signal);
  await workOnNamed(
    context,
    names,
    async (given, name) => {
      await removeMachine(given, { name, force: false, restore: willRestore && boxes.has(name) }, context.signal);
    },
    (_, name) => `Successfully removed ${name}`,
  );
}

const stays =
  "boxes that were there before, which stay as they were set up, engine and all; docker-machine destroy --restore gives them back";

/** What was adopted: of others, nothing is left that could be restored. Whose driver is not here is none. */
async function boxesAmong(context: MachineContext, names: readonly string[]): Promise<ReadonlySet<string>> {
  const boxes = new Set<string>();
  for (const name of names) if (await isAdopted(context, name).catch(() => false)) boxes.add(name);
  return boxes;
}

async function isAdopted(context: MachineContext, name: string): Promise<boolean> {
  await using host = await openHost(context, name);
  return host.module.capabilities.adopted && isProvisioned(host);
}

/** A y is said too easily. */
async function requireName(fleet: string, context: CliContext): Promise<void> {
  const answer = await context.ask("To remove them, type the fleet's name");
  if (answer?.trim() === fleet) return;
  const message = answer === undefined ? "Nobody typed the fleet's name" : "That is not the fleet's name: nothing was removed";
  throw new MachineError("usage", message, {
    hint: `Where there is nobody to ask: echo ${fleet} | docker-machine destroy --fleet ${fleet}`,
  });
}
