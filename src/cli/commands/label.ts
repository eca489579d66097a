/** `label NAME... [KEY=VALUE...] [KEY-...]`: gives and takes labels; without a change it prints them. */
import { oneLine } from "../../log/plain-text.ts";
import { expandNames } from "../../machine/names.ts";
import { changeLabels, isLabelChange, parseLabelChange, readLabels } from "../../machine/selection/labels.ts";
import type { Labels } from "../../store/record-labels.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { readMachines } from "../named-machines.ts";
import { isSelected } from "../selection/selection-flags.ts";

export async function run({ options, args }: Invocation, context: CliContext): Promise<void> {
  // The first word is a machine, whatever it looks like, unless a filter selects them.
  const from = isSelected(options) ? 0 : 1;
  const found = args.findIndex((word, index) => index >= from && isLabelChange(word));
  const at = found === -1 ? args.length : found;
  const changes = args.slice(at).map(parseLabelChange);
  const names = args.slice(0, at);
  const isOne = expandNames(names).length < 2 && !isSelected(options);
  await readMachines(
    context,
    { options, args: names },
    async (machineContext, name) =>
      changes.length === 0
        ? await readLabels(machineContext, name)
        : await changeLabels(machineContext, name, changes, context.signal),
    ({ name, labels }) => (isOne ? linesOf(labels) : [`${name}: ${linesOf(labels).join(" ")}`.trimEnd()]),
  );
}

function linesOf(labels: Labels): string[] {
  return Object.entries(labels).map(([key, value]) => oneLine(`${key}=${value}`));
}
