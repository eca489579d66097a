/** What is given without standing in an argument list, where everyone on this computer could read it. */
import type { CliContext } from "./cli-context.ts";

/** Asked for at a terminal, else the first line of standard input; undefined where nothing is given. */
export async function typedSecret(question: string, { streams, askSecret, signal }: CliContext): Promise<string | undefined> {
  const { stdin } = streams;
  const typed = stdin.isTerminal ? await askSecret(question) : await stdin.readLine(signal);
  return typed === "" ? undefined : typed;
}
