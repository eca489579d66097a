/** Passphrases of bundles: what stands in an argument list, everyone can read. */
import { MachineError } from "../../errors/machine-error.ts";
import type { CliContext } from "../cli-context.ts";

/** Asked for at a terminal, else the first line of standard input. Throws `usage` where none is given. */
export async function readPassphrase(context: CliContext, question = "Passphrase of the bundle: "): Promise<string> {
  const { stdin } = context.streams;
  const typed = stdin.isTerminal ? await context.askSecret(question) : await stdin.readLine(context.signal);
  if (typed !== undefined && typed !== "") return typed;
  throw new MachineError("usage", "No passphrase was given");
}

/** Typed twice at a terminal, because nobody sees what they type, and a slip would close the bundle for ever. Throws `usage`. */
export async function readNewPassphrase(context: CliContext): Promise<string> {
  const passphrase = await readPassphrase(context);
  if (!context.streams.stdin.isTerminal || (await readPassphrase(context, "The same again: ")) === passphrase) return passphrase;
  throw new MachineError("usage", "These are two passphrases, and nothing was exported");
}
