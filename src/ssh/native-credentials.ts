/**
 * What the native back end logs in with, in OpenSSH's order: the one key that was given, else the keys of the agent and
 * then the user's default keys. Every credential has a label for the message that lists what was tried.
 */
import * as path from "node:path";
import type ssh2Module from "ssh2";
import type { AnyAuthMethod, BaseAgent, ParsedKey } from "ssh2";
import { isMachineError } from "../errors/machine-error.ts";
import type { Computer } from "../system/computer.ts";
import type { SshTarget } from "./executor.ts";
import { agentKeyFor, type AgentKey } from "./agent-keys.ts";
import { loadPrivateKey, passphraseNeeded, portablePrivateKey, publicHalfMissing, type PrivateKey } from "./keys.ts";
import type { SshContext } from "./ssh-context.ts";
import { fingerprintOf, type PublicKey } from "./public-key.ts";

/** The package, loaded when a native connection is made. */
export type Ssh2 = typeof ssh2Module;

export interface Credential {
  readonly label: string;
  readonly method: AnyAuthMethod;
}

const defaultKeyNames = ["id_rsa", "id_ecdsa", "id_ed25519"] as const;
const windowsAgentPipe = "\\\\.\\pipe\\openssh-ssh-agent";

/** Throws `ssh-key-unusable` where the one given key cannot be used. */
export async function gatherCredentials(ssh2: Ssh2, target: SshTarget, context: SshContext): Promise<Credential[]> {
  const { identityFile, userName } = target;
  if (identityFile === undefined) {
    return [
      ...(await agentCredentials(ssh2, userName, context.computer)),
      ...(await defaultCredentials(userName, context.computer)),
    ];
  }
  const key = await loadPrivateKey(identityFile, context.computer);
  if (!key.encrypted) return [fileCredential(userName, key)];
  return await agentCredentials(ssh2, userName, context.computer, (held) => {
    if (held.length === 0) throw passphraseNeeded(identityFile);
    const found = agentKeyFor(key, held);
    if (found !== undefined) return [found];
    throw key.publicKey === undefined ? publicHalfMissing(identityFile) : passphraseNeeded(identityFile);
  });
}

function fileCredential(username: string, key: PrivateKey): Credential {
  return { label: labelOf(key.path, key.publicKey), method: { type: "publickey", username, key: portablePrivateKey(key) } };
}

function labelOf(name: string, key: PublicKey | undefined): string {
  return key === undefined ? name : `${name} (${fingerprintOf(key)})`;
}

/** The user's default keys that can be used as they are; ssh passes over the others as well. */
async function defaultCredentials(userName: string, computer: Computer): Promise<Credential[]> {
  const home = computer.homeDir;
  if (home === undefined) return [];
  const keys = await Promise.all(
    defaultKeyNames.map((name) => loadPrivateKey(path.join(home, ".ssh", name), computer).catch(unusableIsAbsent)),
  );
  return keys.filter((key) => key !== undefined && !key.encrypted).map((key) => fileCredential(userName, key as PrivateKey));
}

function unusableIsAbsent(error: unknown): undefined {
  if (!isMachineError(error, "ssh-key-unusable")) throw error;
}

/** One credential for each key the agent holds, or for those that are chosen. No agent, no keys. */
async function agentCredentials(
  ssh2: Ssh2,
  username: string,
  computer: Computer,
  choose: (held: readonly AgentKey[]) => readonly AgentKey[] = (held) => held,
): Promise<Credential[]> {
  const socket = computer.env["SSH_AUTH_SOCK"] ?? (computer.os === "windows" ? windowsAgentPipe : undefined);
  const agent = socket === undefined || socket === "" ? undefined : ssh2.createAgent(socket);
  const parsed = agent === undefined ? [] : await listIdentities(agent);
  const held = parsed.map((key) => ({ type: key.type, blob: key.getPublicSSH(), comment: key.comment, parsed: key }));
  return choose(held).map((key) => ({
    label: labelOf(`agent key ${key.comment}`, key),
    method: { type: "agent", username, agent: agentWithOneKey(ssh2, agent as BaseAgent, (key as (typeof held)[number]).parsed) },
  }));
}

/** An agent that cannot be reached or does not answer properly is as good as none. */
async function listIdentities(agent: BaseAgent): Promise<ParsedKey[]> {
  return await new Promise((resolve) => {
    agent.getIdentities((error, keys) => resolve(error === undefined || error === null ? ((keys ?? []) as ParsedKey[]) : []));
  });
}

function agentWithOneKey(ssh2: Ssh2, agent: BaseAgent, key: ParsedKey): BaseAgent {
  const getIdentities: BaseAgent["getIdentities"] = (done) => done(undefined, [key]);
  return Object.assign(Object.create(ssh2.BaseAgent.prototype) as BaseAgent, { getIdentities, sign: agent.sign.bind(agent) });
}
