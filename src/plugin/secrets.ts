/** Finds credentials among flags and in configurations by their names: the protocol has no mark for them. */
import type { FlagValue } from "../driver-kit/create-flag.ts";
import { isSecretName } from "../log/secret-names.ts";

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
