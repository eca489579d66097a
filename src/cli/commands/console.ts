/** `console NAME`. */
import { readConsole } from "../../machine/console.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { nameOrDefault } from "../named-machines.ts";
import { openContext } from "../open-context.ts";

export async function run({ args }: Invocation, context: CliContext): Promise<void> {
  const machineContext = openContext(context);
  const name = await nameOrDefault(machineContext, args);
  const text = await readConsole(machineContext, name, context.signal);
  for (const line of text.trimEnd().split(/\r?\n/u)) context.print(line);
}
