import { MachineError } from "../../errors/machine-error.ts";
import type { CliContext } from "../cli-context.ts";

/** Asked for at a terminal, else the first line of standard input: what stands in an argument list, everyone can read. */
export async function readPassphrase(question: string, context: CliContext): Promise<string> {
  const { stdin } = context.streams;
  const typed = stdin.isTerminal ? await context.askSecret(question) : await stdin.readLine(context.signal);
  if (typed !== undefined && typed !== "") return typed;
  throw new MachineError("usage", "No passphrase was given");
}
