import { oneLine } from "../../log/plain-text.ts";
import { readGuests, type MachineGuests } from "../../machine/sharing/share.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { readMachines } from "../named-machines.ts";

export async function run(invocation: Invocation, context: CliContext): Promise<void> {
  await readMachines(
    context,
    invocation,
    async (machineContext, name) => await readGuests(machineContext, name, context.signal),
    guestLines,
  );
}

export function guestLines({ name, guests, certificates }: MachineGuests): readonly string[] {
  const given = certificates.map(({ person, until }) =>
    oneLine(`"${name}" takes a certificate of ${person} until ${until}; nothing ends it sooner`),
  );
  if (guests.length === 0 && given.length > 0) return given;
  if (guests.length === 0) return [`"${name}" is shared with nobody`];
  const lines = guests.map(({ person, mode, until, sessions }) =>
    oneLine(`"${name}" is shared with ${person} (${mode}) until ${until.toISOString()}; open now: ${sessions}`),
  );
  return [...lines, ...given];
}
