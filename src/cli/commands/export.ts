/** `export NAME... --to age1...|--passphrase [-o FILE]`: machines for another computer, in a file that only it can open. */
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { formatBundle } from "../../machine/bundle/bundle.ts";
import { exportMachines } from "../../machine/bundle/export-machines.ts";
import { sealBundle, type Seal } from "../../machine/bundle/seal-bundle.ts";
import { quoteWord } from "../../ssh/shell-quote.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { writeNamedFile } from "../named-file.ts";
import { openContext } from "../open-context.ts";
import { selectedNames } from "../selection/select-machines.ts";
import { readNewPassphrase } from "./passphrase.ts";

export async function run(invocation: Invocation, context: CliContext): Promise<void> {
  const { options } = invocation;
  const machineContext = openContext(context);
  const names = await selectedNames(machineContext, invocation, context);
  const recipients = recipientsOf(invocation);
  const bundle = await exportMachines(machineContext, names, options.bool("with-ca"), context.signal);
  // Nobody is asked for what is of no use.
  const seal: Seal = recipients.length > 0 ? { recipients } : { passphrase: await readNewPassphrase(context) };
  const sealed = await sealBundle(formatBundle(bundle), seal);
  const file = options.string("file");
  if (file === "") return context.print(sealed.trimEnd());
  await writeNamedFile(file, sealed, context);
  const key = "recipients" in seal ? "--identity KEY-FILE " : "";
  const importing = `${context.program.base} import ${key}${quoteWord(file)}`;
  logTo(context.report, "info", `Exported ${names.join(", ")} to ${file}; import it elsewhere with: ${importing}`);
}

/** None where there is a passphrase. Throws `usage` for both, and neither. */
function recipientsOf({ options }: Invocation): readonly string[] {
  const recipients = options.strings("to");
  if (options.bool("passphrase") === recipients.length > 0) {
    throw new MachineError("usage", "A bundle is for somebody's key (--to age1...) or has a passphrase (--passphrase)", {
      hint: "age-keygen makes a key, and prints what to give to --to.",
    });
  }
  return recipients;
}
