/** `import FILE`: the machines of a bundle are in this store from now on. */
import { MachineError } from "../../errors/machine-error.ts";
import { parseBundle } from "../../machine/bundle/bundle.ts";
import { importMachines, type Imported } from "../../machine/bundle/import-machines.ts";
import { identitiesIn, openBundle, type SealKey, type SealKind } from "../../machine/bundle/seal-bundle.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { readNamedFile } from "../named-file.ts";
import { openContext } from "../open-context.ts";
import { readPassphrase } from "./passphrase.ts";

const checkPath = "Check the path.";

export async function run({ options, args: [file = ""] }: Invocation, context: CliContext): Promise<void> {
  const sealed = await readNamedFile(file, checkPath, context);
  const bundle = parseBundle(await openBundle(sealed, async (kind) => await readKey(kind, options.string("identity"), context)));
  const imported = await importMachines(openContext(context), bundle, context.signal);
  if (context.globals.output === "json") context.printJson(imported);
  else for (const machine of imported) context.print(lineOf(machine));
}

function lineOf({ name, isReady }: Imported): string {
  return isReady ? `"${name}" is imported` : `"${name}" is imported, and not ready yet`;
}

async function readKey(kind: SealKind, identity: string, context: CliContext): Promise<SealKey> {
  if (kind === "passphrase" && identity !== "")
    throw new MachineError("usage", "The bundle has a passphrase, and no key opens it", {
      hint: "Leave --identity out: the passphrase is asked for.",
    });
  if (kind === "passphrase") return { passphrase: await readPassphrase(context) };
  if (identity === "")
    throw new MachineError("usage", "The bundle is sealed for somebody's key, and not with a passphrase", {
      hint: "Say where the key is: --identity FILE, the file that age-keygen -o FILE made.",
    });
  const identities = identitiesIn(await readNamedFile(identity, checkPath, context));
  if (identities.length > 0) return { identities };
  throw new MachineError("usage", `${identity} holds no identity of age`, {
    hint: "It is the file that age-keygen -o FILE made.",
  });
}
