/** Passphrases of bundles. */
import { MachineError } from "../../errors/machine-error.ts";
import type { CliContext } from "../cli-context.ts";
import { typedSecret } from "../typed-secret.ts";

/** Asked for at a terminal, else the first line of standard input. Throws `usage` where none is given. */
export async function readPassphrase(context: CliContext, question = "Passphrase of the bundle: "): Promise<string> {
  const typed = await typedSecret(question, context);
  if (typed !== undefined) return typed;
  throw new MachineError("usage", "No passphrase was given", {
    hint: "Type it when it is asked for; where nobody is asked, it is the first line of standard input.",
  });
}

/** Typed twice at a terminal, because nobody sees what they type, and a slip would close the bundle for ever. Throws `usage`. */
export async function readNewPassphrase(context: CliContext): Promise<string> {
  const passphrase = await readPassphrase(context);
  if (!context.streams.stdin.isTerminal || (await readPassphrase(context, "The same again: ")) === passphrase) return passphrase;
  throw new MachineError("usage", "These are two passphrases, and nothing was exported", {
    hint: "Run the command again, and type the same twice.",
  });
}
