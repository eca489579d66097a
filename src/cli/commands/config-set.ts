/** `config set NAME FLAG=VALUE...`: gives a machine's secrets anew. Without a value it is asked for, or read from standard input. */
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { secretNames, setSecrets } from "../../machine/secrets/set-secrets.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { openContext } from "../open-context.ts";
import { typedSecret } from "../typed-secret.ts";

export async function run({ args: [name = "", ...assignments] }: Invocation, context: CliContext): Promise<void> {
  const machineContext = openContext(context);
  if (assignments.length === 0) throw nothingToSet(name, await secretNames(machineContext, name));
  const given = new Map<string, string>();
  for (const assignment of assignments) {
    const [flag, value] = splitAssignment(assignment);
    given.set(flag, value ?? (await readSecret(flag, name, context)));
  }
  await setSecrets(machineContext, name, given, context.signal);
  for (const flag of given.keys()) logTo(context.report, "info", `Set ${flag} of "${name}".`);
}

function splitAssignment(text: string): [flag: string, value: string | undefined] {
  const at = text.indexOf("=");
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

async function readSecret(flag: string, name: string, context: CliContext): Promise<string> {
  const typed = await typedSecret(`New value of ${flag} for ${name}: `, context);
  if (typed !== undefined) return typed;
  throw new MachineError("usage", `No value was given for ${flag}`);
}

function nothingToSet(name: string, known: readonly string[]): MachineError {
  return new MachineError("usage", `Nothing is given that "${name}" should have`, {
    hint: known.length === 0 ? "Its driver keeps no secrets." : `It has these secrets: ${known.join(", ")}.`,
  });
}
