/** `config set`: gives a machine's secrets anew, by value or by reference; the provider is not asked. */
import { MachineError } from "../../errors/machine-error.ts";
import { Redactor } from "../../log/redact.ts";
import { isSecretName } from "../../log/secret-names.ts";
import { lockMachine } from "../interruption/machine-lock.ts";
import type { MachineContext } from "../machine-context.ts";
import { isNamedLike, markOf, marksIn, nameFrom, stringsOf, withField } from "./conceal.ts";
import { markedTextOf } from "./marked-text.ts";
import { parseOrigin } from "./secret-source.ts";
import { Vault } from "./vault.ts";

/**
 * @param given by the name of the create flag, or of the field of the driver's configuration
 * Throws `usage` for what is no secret of the machine, `secret-unavailable` for a reference that leads nowhere.
 */
export async function setSecrets(
  context: MachineContext,
  name: string,
  given: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<void> {
  await using _lock = await lockMachine(context, name, "config set", signal);
  const record = await context.store.load(name);
  const vault = await Vault.load(context, context.store.machineDir(name));
  for (const [wanted, text] of given) {
    const { secret, field } = findSecret(name, wanted, vault, record.driverConfigText);
    vault.set(secret, parseOrigin(text, context.computer));
    // A reference that leads nowhere is better found now.
    await vault.resolve(markOf(secret));
    if (field !== undefined) record.driverConfigText = withField(record.driverConfigText, field, markOf(secret));
  }
  record.driverConfigText = vault.restate(record.driverConfigText);
  await vault.saveAround(markedTextOf(record), async () => await context.store.save(record));
  await context.store.publish(name);
}

/** A record's text with its secrets in place of their marks. They are not redacted from then on: they were asked for. */
export async function revealRecord(context: MachineContext, name: string, text: string): Promise<string> {
  if (marksIn(text).size === 0) return text;
  const vault = await Vault.load({ ...context, redactor: new Redactor() }, context.store.machineDir(name));
  await vault.resolve(text);
  return vault.reveal(text);
}

/** The names under which secrets of a machine can be given anew. */
export async function secretNames(context: MachineContext, name: string): Promise<readonly string[]> {
  const record = await context.store.load(name);
  const vault = await Vault.load(context, context.store.machineDir(name));
  return [...new Set([...vault.names, ...openSecretFields(record.driverConfigText)])];
}

interface Found {
  readonly secret: string;
  /** The field of the configuration that is to hold its mark; undefined where it does. */
  readonly field?: string | undefined;
}

function findSecret(machine: string, wanted: string, vault: Vault, configText: string): Found {
  if (vault.names.includes(wanted)) return { secret: wanted };
  const fields = [...stringsOf(configText)].filter(([path]) => isNamedLike(wanted, path) || isNamedLike(path, wanted));
  const marked = fields.flatMap(([, value]) => [...marksIn(value)])[0];
  if (marked !== undefined) return { secret: marked };
  const field = fields.map(([path]) => path).find((path) => openSecretFields(configText).includes(path));
  if (field !== undefined) return { secret: nameFrom(wanted), field };
  const known = [...new Set([...vault.names, ...openSecretFields(configText)])];
  throw new MachineError("usage", `${JSON.stringify(wanted)} is not a secret of "${machine}"`, {
    hint: known.length === 0 ? "Its driver keeps none." : `It has: ${known.join(", ")}.`,
  });
}

/** Fields that are named like credentials and hold them in the open, as 0.16.2 stored them. */
function openSecretFields(configText: string): string[] {
  const isOpen = ([path, value]: [string, string]): boolean => isSecretName(path) && value !== "" && marksIn(value).size === 0;
  return [...stringsOf(configText)].filter(isOpen).map(([path]) => path);
}
