/** The key that a machine is logged into with: one of its own, which Nova is given, or a key pair that the user names with its file. */
import * as path from "node:path";
import { createOnce } from "../../driver-kit/create-once.ts";
import { markedName, requireMark } from "../../driver-kit/marks.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { loadPrivateKey } from "../../ssh/keys.ts";
import { formatPublicKey } from "../../ssh/public-key.ts";
import { readFileIfExists, writeFileAtomic } from "../../system/files.ts";
import { kinds, type Workplace } from "./workplace.ts";

export interface KeyPair {
  readonly name: string;
  readonly public_key: string;
}

/** 0.16.2's name of the copy in the machine's folder. */
const copyName = "id_rsa";

/** Makes sure that Nova has the key pair, records it, and gives the public half. */
export async function provideKey(place: Workplace, signal: AbortSignal): Promise<string> {
  return place.config.ExistingKey ? await takeKey(place, signal) : await makeKey(place, signal);
}

/** Undefined where Nova has none of that name. */
export async function findKeyPair({ api }: Workplace, name: string, signal: AbortSignal): Promise<KeyPair | undefined> {
  return (await api.find<{ keypair: KeyPair }>("compute", `/os-keypairs/${encodeURIComponent(name)}`, signal))?.keypair;
}

/** Checks what the user named. Throws `driver-options`, `ssh-key-unusable`, `provider-not-found`. */
export async function checkKey(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config, context } = place;
  if (!config.ExistingKey) return;
  const { PrivateKeyFile: file } = config;
  if ((await readFileIfExists(file)) === undefined)
    throw new MachineError("driver-options", `SSH key does not exist: ${JSON.stringify(file)}`, {
      hint: "Give the path of the key pair's private half with --openstack-private-key-file.",
    });
  const { publicKey } = await loadPrivateKey(file, context.computer);
  const pair = await requireKeyPair(place, signal);
  if (publicKey === undefined || isSameKey(formatPublicKey(publicKey), pair.public_key)) return;
  throw new MachineError("driver-options", `${file} is not the private half of the key pair ${config.KeyPairName}`, {
    hint: "Give the other file with --openstack-private-key-file, or another --openstack-keypair-name.",
  });
}

async function requireKeyPair(place: Workplace, signal: AbortSignal): Promise<KeyPair> {
  const { KeyPairName: name } = place.config;
  const pair = await findKeyPair(place, name, signal);
  if (pair !== undefined) return pair;
  throw new MachineError("provider-not-found", `Unable to find key pair named ${name}`, {
    hint: "See openstack keypair list (key pairs belong to a user), or leave --openstack-keypair-name out: then the machine gets a key of its own.",
  });
}

async function takeKey(place: Workplace, signal: AbortSignal): Promise<string> {
  const { config, context } = place;
  const pair = await requireKeyPair(place, signal);
  const copy = path.join(context.machineDir, copyName);
  const data = await readFileIfExists(config.PrivateKeyFile);
  // A create that goes on has its copy, also where the file is gone.
  if (data !== undefined) await writeFileAtomic(copy, data, 0o600);
  config.SSHKeyPath = copy;
  return pair.public_key;
}

async function makeKey(place: Workplace, signal: AbortSignal): Promise<string> {
  const { api, config, context, ledger } = place;
  const { privateKeyPath, publicKey } = await context.ensureSshKey();
  const name = markedName(context.machineName.replaceAll(".", "_"), requireMark(context.createId).id);
  const mayExist = ledger.of(kinds.keyPair).length > 0;
  config.SSHKeyPath = privateKeyPath;
  config.KeyPairName = name;
  await ledger.intend(kinds.keyPair, name);
  const find = async (): Promise<KeyPair | undefined> => await findKeyPair(place, name, signal);
  const make = async (): Promise<KeyPair> => {
    // Before 2.2 all are of this type.
    const type = (await api.computeVersion(signal)) >= 2 ? { type: "ssh" } : {};
    const body = { keypair: { name, public_key: publicKey, ...type } };
    return (await api.send<{ keypair: KeyPair }>("compute", { method: "POST", path: "/os-keypairs", body }, signal)).keypair;
  };
  const pair = await createOnce({ mayExist, find, make });
  if (!isSameKey(pair.public_key, publicKey)) {
    await ledger.forget({ kind: kinds.keyPair, id: name });
    throw new MachineError("provider-exists", `A key pair named ${name} exists already, with another key`, {
      hint: `Remove it, if it is nobody's: openstack keypair delete ${name}`,
    });
  }
  await ledger.note(kinds.keyPair, name);
  return publicKey;
}

function isSameKey(one: string, other: string): boolean {
  const body = (line: string): string => line.trim().split(/\s+/u).slice(0, 2).join(" ");
  return body(one) === body(other);
}
