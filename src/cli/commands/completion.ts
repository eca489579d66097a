/** Prints the completion of a shell, and for bash and zsh the prompt and the wrapper: `eval "$(docker-machine completion bash)"`. */
import { MachineError } from "../../errors/machine-error.ts";
import type { Invocation } from "../command.ts";
import { completionScripts } from "../completion/scripts.ts";
import type { CliContext } from "../cli-context.ts";

export async function run({ args: [shell = ""] }: Invocation, { streams }: CliContext): Promise<void> {
  if (!isShell(shell)) {
    throw new MachineError("usage", `There is no completion for "${shell}"`, {
      hint: `Name one of ${Object.keys(completionScripts).join(", ")}.`,
    });
  }
  streams.stdout.write(completionScripts[shell]);
}

function isShell(word: string): word is keyof typeof completionScripts {
  return Object.hasOwn(completionScripts, word);
}
