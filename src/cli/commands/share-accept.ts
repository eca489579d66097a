/** `share accept TICKET`: a machine of somebody else is in this store from now on. The same as `create --driver shared`. */
import { driverOptions } from "../../driver-kit/create-flag.ts";
import { parseTicket } from "../../driver-kit/share-ticket.ts";
import { createDefaults } from "../../machine/create-defaults.ts";
import { createMachine } from "../../machine/create.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { workOnNamed } from "../named-machines.ts";

export async function run({ options: given, args: [text = ""] }: Invocation, context: CliContext): Promise<void> {
  const ticket = parseTicket(text);
  const name = given.string("name") === "" ? ticket.machine : given.string("name");
  const options = driverOptions({ ...createDefaults, "shared-ticket": text }, new Set(["shared-ticket"]));
  await workOnNamed(
    context,
    [name],
    async (machineContext) => await createMachine(machineContext, { name, driverName: "shared", options }, context.signal),
    () => `"${name}" is shared with you until ${ticket.until}: ${context.program.base} with ${name} -- docker ps`,
  );
}
