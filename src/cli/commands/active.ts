/** `active`: which machine docker clients of this shell go to. Nothing is asked of any other. */
import { MachineError } from "../../errors/machine-error.ts";
import { clientHost } from "../../machine/integration/client-host.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";

export async function run({ options }: Invocation, context: CliContext): Promise<void> {
  const { computer, compat } = context;
  const dockerHost = compat ? (computer.env["DOCKER_HOST"] ?? "") : await clientHost(computer);
  const timeoutMs = options.int("timeout") * 1000;
  const name = dockerHost === "" ? undefined : await activeMachine(context, dockerHost, timeoutMs);
  if (name === undefined)
    throw new MachineError("machine-not-running", "No active host found", {
      hint: 'Point your shell at a machine with: eval "$(docker-machine env NAME)"',
    });
  if (context.globals.output === "json") context.printJson({ name });
  else context.print(name);
}

/** Prompts ask where DOCKER_HOST is not set, most of the time: then nothing of this is loaded. */
async function activeMachine(context: CliContext, dockerHost: string, timeoutMs: number): Promise<string | undefined> {
  const [{ findActive }, { openContext }] = await Promise.all([import("../../machine/active.ts"), import("../open-context.ts")]);
  return await findActive(openContext(context), { dockerHost, timeoutMs }, context.signal);
}
