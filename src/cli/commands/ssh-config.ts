/** `ssh-config [NAME...]`: entries of ssh_config for machines, printed or kept. */
import { MachineError } from "../../errors/machine-error.ts";
import { openHost } from "../../machine/host/open-host.ts";
import {
  installSshConfig,
  planInstallation,
  refreshSshEntry,
  sshEntryOf,
  uninstallSshConfig,
} from "../../machine/integration/ssh-entries.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import { forEachMachine, throwFailures } from "../../machine/many.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { atOnce, readMachines } from "../named-machines.ts";
import { openContext } from "../open-context.ts";
import { isSelected } from "../selection/selection-flags.ts";

export async function run(invocation: Invocation, context: CliContext): Promise<void> {
  const { options, args } = invocation;
  const machineContext = openContext(context);
  const [install, uninstall] = [options.bool("install"), options.bool("uninstall")];
  if (!install && !uninstall) return await print(invocation, context);
  if (install && uninstall) throw new MachineError("usage", "Error: --install and --uninstall are both given");
  if (args.length > 0 || isSelected(options))
    throw new MachineError("usage", "Error: --install and --uninstall are for all machines of the store: name none");
  await (install ? installAll(machineContext, context, options.bool("y")) : uninstallAll(machineContext, context));
}

async function print(invocation: Invocation, context: CliContext): Promise<void> {
  const { args, options } = invocation;
  const isChosen = args.length > 0 || isSelected(options);
  const names = isChosen ? args : (await openContext(context).store.list()).sort();
  if (!isChosen && names.length === 0) return;
  const read = async (machineContext: MachineContext, name: string): Promise<{ name: string; entry: string }> => {
    await using host = await openHost(machineContext, name);
    return { name, entry: await sshEntryOf(machineContext, host) };
  };
  await readMachines(context, { options, args: names }, read, ({ entry }) => entry.trimEnd().split("\n"));
}

async function installAll(machineContext: MachineContext, context: CliContext, isAgreed: boolean): Promise<void> {
  const plan = await planInstallation(machineContext);
  if (!plan.isThere && !isAgreed) {
    context.print(`The first line of ${plan.file} becomes: ${plan.line}`);
    const answer = await context.confirm("Write it?", "\n");
    if (answer === undefined)
      throw new MachineError("usage", "Nobody answered the question", { hint: "Where there is nobody to ask, give -y." });
    if (!answer) return;
  }
  await installSshConfig(machineContext, plan);
  const outcomes = await forEachMachine(await machineContext.store.list(), atOnce, async (name) => {
    await using host = await openHost(machineContext, name);
    await refreshSshEntry(machineContext, host);
  });
  context.print(`Machines can be reached as NAME.docker-machine: ssh, rsync, docker -H ssh://NAME.docker-machine`);
  throwFailures(outcomes);
}

async function uninstallAll(machineContext: MachineContext, context: CliContext): Promise<void> {
  const plan = await planInstallation(machineContext);
  await uninstallSshConfig(machineContext, plan);
  context.print(`${plan.file} is without the entries of machines`);
}
