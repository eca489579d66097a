import { logTo } from "../../log/event.ts";
import { useContext } from "../../machine/integration/create-context.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { nameOrDefault } from "../named-machines.ts";
import { openContext } from "../open-context.ts";

export async function run({ args }: Invocation, context: CliContext): Promise<void> {
  const machineContext = openContext(context);
  const name = await nameOrDefault(machineContext, args);
  const { beatenBy, ...used } = await useContext(machineContext, name, context.signal);
  if (context.globals.output === "json") context.printJson(used);
  else context.print(`The docker client now uses "${used.context}", which leads to "${name}"`);
  if (beatenBy !== undefined)
    logTo(context.report, "warn", `DOCKER_HOST is set to ${beatenBy} in this shell, and beats every context: unset DOCKER_HOST`);
}
