import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { renderInspect } from "../output/inspect-text.ts";
import { TemplateError } from "../../gocompat/template/template-error.ts";
import { revealRecord } from "../../machine/secrets/set-secrets.ts";
import { openContext } from "../open-context.ts";
import { nameOrDefault } from "../named-machines.ts";

export async function run({ options, args }: Invocation, context: CliContext): Promise<void> {
  const machineContext = openContext(context);
  const name = await nameOrDefault(machineContext, args);
  const stored = await machineContext.store.loadText(name);
  const secrets = options.bool("show-secrets") ? "shown" : "masked";
  const text = secrets === "shown" ? await revealRecord(machineContext, name, stored) : stored;
  try {
    context.print(await renderInspect(text, options.string("format"), secrets));
  } catch (error) {
    if (error instanceof TemplateError) context.streams.stdout.write(context.redactor.redact(error.output));
    throw error;
  }
}
