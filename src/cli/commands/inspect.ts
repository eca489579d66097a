import type { Invocation } from "../command.ts";
import type { CliContext } from "../context.ts";
import { renderInspect } from "../format/inspect.ts";
import { TemplateError } from "../../gocompat/template/template-error.ts";
import { revealRecord } from "../../machine/secrets/set-secrets.ts";
import { openPorts } from "../machine-ports.ts";
import { nameOrDefault } from "../machines.ts";

export async function run({ options, args }: Invocation, context: CliContext): Promise<void> {
  const ports = openPorts(context);
  const name = await nameOrDefault(ports, args);
  const stored = await ports.store.loadText(name);
  const secrets = options.bool("show-secrets") ? "shown" : "masked";
  const text = secrets === "shown" ? await revealRecord(ports, name, stored) : stored;
  try {
    context.print(await renderInspect(text, options.string("format"), secrets));
  } catch (error) {
    if (error instanceof TemplateError) context.streams.stdout.write(context.redactor.redact(error.output));
    throw error;
  }
}
