/**
 * Which of an agent's keys an encrypted key file is. Its public half tells; the old PEM format hides that, and without
 * `KEY.pub` beside it there remain the kind of the key and the path that ssh-add gave it as a comment. No other key is
 * ever offered in its place.
 */
import * as path from "node:path";
import type { PrivateKey } from "./keys.ts";
import type { PublicKey } from "./public-key.ts";

export interface AgentKey extends PublicKey {
  readonly comment: string;
}

/** The agent's key for the file; undefined where it has none, or several could be meant. */
export function agentKeyFor(key: PrivateKey, held: readonly AgentKey[]): AgentKey | undefined {
  const { publicKey } = key;
  if (publicKey !== undefined) return held.find((one) => one.blob.equals(publicKey.blob));
  const alike = held.filter(({ type }) => key.kind === undefined || type.startsWith(key.kind));
  const named = alike.filter(({ comment }) => path.basename(comment) === path.basename(key.path));
  if (named.length === 1) return named[0];
  return alike.length === 1 ? alike[0] : undefined;
}
