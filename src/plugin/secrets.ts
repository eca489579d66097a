/**
 * Finds credentials by their names: the protocol has no mark for them. Whatever is found is hidden in output, so a
 * superfluous find does little harm.
 */
import type { FlagValue } from "../driver-kit/flags.ts";

const secretName =
  /(?:token|password|passwd|passphrase|secret|credentials?|(?:api|access|auth|application|account|secret)[-_]?key)$/iu;

/** Whether a flag or a key of a configuration is named like a credential. */
export function isSecretName(name: string): boolean {
  return secretName.test(name);
}

/** Values of create flags that are named like credentials. */
export function secretsOfOptions(values: Readonly<Record<string, FlagValue>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => (isSecretName(name) && typeof value === "string" ? [value] : []));
}

/** Values in a driver's configuration, at any depth, whose keys are named like credentials. Nothing where it is not JSON. */
export function secretsOfConfig(config: string): string[] {
  const found: string[] = [];
  try {
    JSON.parse(config, (key, value: unknown) => {
      if (typeof value === "string" && isSecretName(key)) found.push(value);
      return value;
    });
  } catch {
    return [];
  }
  return found;
}
