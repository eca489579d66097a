/** Secrets in what an environment is given, `NAME=value`: whole values by their names, passwords in URLs by their place. Pure. */
import { isSecretName } from "./secret-names.ts";

/** Of a flag or a configuration this could be a path; an environment holds the key. */
const privateKey = /private_?key$/iu;
const urlPassword = /:\/\/[^\s/:@]*:([^\s/]+)@/gu;

/** The secrets in one assignment; none in most. */
export function secretsOfAssignment(assignment: string): string[] {
  const [name = "", ...rest] = assignment.split("=");
  const value = rest.join("=");
  if (value === "") return [];
  return isSecretName(name) || privateKey.test(name)
    ? [value]
    : [...value.matchAll(urlPassword)].map(([, password = ""]) => password);
}

/** The assignment with something else in place of its secrets. */
export function withoutSecrets(assignment: string, replacement: string): string {
  const [name = "", ...rest] = assignment.split("=");
  const value = secretsOfAssignment(assignment).reduce((text, secret) => text.replaceAll(secret, replacement), rest.join("="));
  return rest.length === 0 ? assignment : `${name}=${value}`;
}
