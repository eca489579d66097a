/**
 * Labels of machines: what `--filter label=` selects by. They are in the record alone (`Extra.Labels`), so that a new one
 * needs no restart of an engine; the engine's own (`--engine-label`) are looked at too, and changed by `provision` only.
 */
import { MachineError } from "../../errors/machine-error.ts";
import { isSecretName } from "../../log/secret-names.ts";
import { labelsOf, type Labels } from "../../store/record-labels.ts";
import { openHost } from "../host/open-host.ts";
import { lockMachine } from "../interruption/machine-lock.ts";
import type { MachineContext } from "../machine-context.ts";

/** What is to become of one label; without a value it is taken away. */
export interface LabelChange {
  readonly key: string;
  readonly value: string | undefined;
}

export interface MachineLabels {
  readonly name: string;
  readonly labels: Labels;
}

const longestKey = 63;
const longestValue = 255;

/** `k=v` sets, `k-` takes away. Throws `usage` for what is neither, and for what is named like a credential. */
export function parseLabelChange(text: string): LabelChange {
  const equals = text.indexOf("=");
  const key = equals === -1 ? text.replace(/-$/u, "") : text.slice(0, equals);
  const value = equals === -1 ? undefined : text.slice(equals + 1);
  if (!isLabelChange(text)) throw wrong(text, "a change is KEY=VALUE, or KEY- to take one away");
  if (!/^[A-Za-z0-9][A-Za-z0-9._/-]*$/u.test(key)) {
    throw wrong(text, "a key begins with a letter or a digit and holds letters, digits, dots, dashes, underscores and slashes");
  }
  if (key.length > longestKey) throw wrong(text, `a key has at most ${longestKey} characters`);
  if (value !== undefined && value.length > longestValue) throw wrong(text, `a value has at most ${longestValue} characters`);
  if (value !== undefined && /\p{Cc}/u.test(value)) throw wrong(text, "a value has no control characters");
  if (value !== undefined && isSecretName(key)) {
    throw new MachineError("usage", `A label must not be called ${JSON.stringify(key)}, as a credential would be`, {
      hint: "Labels are shown to everybody who lists machines. Give secrets with: docker-machine config set",
    });
  }
  return { key, value };
}

/** Whether a word is a change, and not the name of a machine. */
export function isLabelChange(text: string): boolean {
  return text.includes("=") || (text.length > 1 && text.endsWith("-"));
}

function wrong(text: string, why: string): MachineError {
  return new MachineError("usage", `Invalid label ${JSON.stringify(text)}: ${why}`);
}

/** Throws `machine-not-found`, `record-unreadable`. */
export async function readLabels(context: MachineContext, name: string): Promise<MachineLabels> {
  await using host = await openHost(context, name);
  return { name, labels: labelsOf(host.record) };
}

/** Makes the changes in their order and gives what the machine has then. To take away what is not there is no error. */
export async function changeLabels(
  context: MachineContext,
  name: string,
  changes: readonly LabelChange[],
  signal: AbortSignal,
): Promise<MachineLabels> {
  await using _lock = await lockMachine(context, name, "label", signal);
  await using host = await openHost(context, name);
  const labels = new Map(Object.entries(labelsOf(host.record)));
  for (const { key, value } of changes) {
    if (value === undefined) labels.delete(key);
    else labels.set(key, value);
  }
  const sorted = Object.fromEntries([...labels].toSorted(([left], [right]) => (left < right ? -1 : 1)));
  if (labels.size === 0) delete host.record.extra.Labels;
  else host.record.extra.Labels = sorted;
  await host.save();
  return { name, labels: sorted };
}
