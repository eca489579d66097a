/** The key that a machine is logged into with: one of its own, a file of the user's, or a key pair that AWS has. */
import * as path from "node:path";
import { failureKindOf, isNotFound } from "../../driver-kit/provider-error.ts";
import { markedName, requireMark } from "../../driver-kit/marks.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { loadPrivateKey } from "../../ssh/keys.ts";
import { formatPublicKey } from "../../ssh/public-key.ts";
import { readFileIfExists, writeFileAtomic } from "../../system/files.ts";
import { allTags, kinds, markFilter, type Workplace } from "./workplace.ts";

/** 0.16.2's name of the copy in the machine's folder. */
const copyName = "id_rsa";

/** Makes sure that AWS has the key pair, records it, and gives the public half; undefined where only AWS knows it. */
export async function provideKey(place: Workplace, signal: AbortSignal): Promise<string | undefined> {
  const { config, context } = place;
  const own = config.SSHPrivateKeyPath === "" ? undefined : await copyKeyFile(place);
  if (config.ExistingKey) return own ?? (await publicHalfAt(place, signal));
  const made = own === undefined ? await context.ensureSshKey() : undefined;
  if (made !== undefined) config.SSHKeyPath = made.privateKeyPath;
  const publicKey = own ?? made?.publicKey ?? "";
  await importKey(place, publicKey, signal);
  return publicKey;
}

/** Checks what the user named. Throws `driver-options`, `ssh-key-unusable`, `provider-not-found`. */
export async function checkKey(place: Workplace, signal: AbortSignal): Promise<void> {
  const { api, config } = place;
  if (config.SSHPrivateKeyPath !== "") await publicHalfOf(place);
  if (!config.ExistingKey) return;
  try {
    await api.send("DescribeKeyPairs", { KeyNames: [config.KeyName] }, signal);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new MachineError(
      "provider-not-found",
      `There is no keypair with the name ${config.KeyName}. Please verify the key name provided.`,
      { hint: "See aws ec2 describe-key-pairs; or leave --amazonec2-keypair-name out: then the machine gets a key of its own." },
    );
  }
}

async function publicHalfOf({ config, context }: Workplace): Promise<string> {
  const { SSHPrivateKeyPath: file } = config;
  if ((await readFileIfExists(file)) === undefined)
    throw new MachineError("driver-options", `SSH key does not exist: ${JSON.stringify(file)}`, {
      hint: "Give the path of a private key with --amazonec2-ssh-keypath.",
    });
  const { publicKey } = await loadPrivateKey(file, context.computer);
  if (publicKey !== undefined) return formatPublicKey(publicKey);
  throw new MachineError("ssh-key-unusable", `The public half of ${file} cannot be read from it`, {
    hint: `Write it beside it: ssh-keygen -y -f ${file} > ${file}.pub`,
  });
}

async function copyKeyFile(place: Workplace): Promise<string> {
  const { config, context } = place;
  const publicKey = await publicHalfOf(place);
  const copy = path.join(context.machineDir, copyName);
  const data = await readFileIfExists(config.SSHPrivateKeyPath);
  if (data !== undefined) await writeFileAtomic(copy, data, 0o600);
  await writeFileAtomic(`${copy}.pub`, `${publicKey}\n`, 0o600);
  config.SSHKeyPath = copy;
  return publicKey;
}

async function publicHalfAt({ api, config }: Workplace, signal: AbortSignal): Promise<string | undefined> {
  const { KeyPairs = [] } = await api.send("DescribeKeyPairs", { KeyNames: [config.KeyName], IncludePublicKey: true }, signal);
  const line = KeyPairs[0]?.PublicKey?.trim();
  return line === "" ? undefined : line;
}

async function importKey(place: Workplace, publicKey: string, signal: AbortSignal): Promise<void> {
  const { api, config, context, ledger } = place;
  if (ledger.idOf(kinds.keyPair) !== undefined) return;
  const name = markedName(context.machineName, requireMark(context.createId).id);
  config.KeyName = name;
  await ledger.intend(kinds.keyPair, name);
  const request = {
    KeyName: name,
    PublicKeyMaterial: Buffer.from(publicKey),
    TagSpecifications: [{ ResourceType: "key-pair" as const, Tags: [...allTags(place)] }],
  };
  try {
    config.KeyPairId = (await api.send("ImportKeyPair", request, signal)).KeyPairId ?? "";
  } catch (error) {
    if (failureKindOf(error) !== "exists") throw error;
    // An answer of ours that was lost, or a pair of others.
    const id = await markedKeyPair(place, name, signal);
    if (id === undefined) {
      await ledger.forget({ kind: kinds.keyPair, id: name });
      throw taken(name);
    }
    config.KeyPairId = id;
  }
  await ledger.note(kinds.keyPair, name);
}

/** The id of the key pair with this name that bears this create's mark. */
export async function markedKeyPair(place: Workplace, name: string, signal: AbortSignal): Promise<string | undefined> {
  const filter = markFilter(place);
  if (filter === undefined) return undefined;
  const { KeyPairs = [] } = await place.api.send("DescribeKeyPairs", { Filters: [filter] }, signal);
  return KeyPairs.find(({ KeyName }) => KeyName === name)?.KeyPairId;
}

function taken(name: string): MachineError {
  return new MachineError(
    "provider-exists",
    `There is already a keypair with the name ${name}.  Please either remove that keypair or use a different machine name.`,
    { hint: `See aws ec2 describe-key-pairs --key-names ${name}.` },
  );
}
