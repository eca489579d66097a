/** Credentials known by their names. A superfluous find does little harm: what is found is hidden, and kept more closely. Pure. */

const secretName =
  /(?:token|password|passwd|passphrase|secret|credentials?|(?:api|access|auth|application|account|secret)[-_]?key)$/iu;

/** Whether a flag, a variable or a key of a configuration is named like a credential. */
export function isSecretName(name: string): boolean {
  return secretName.test(name);
}
