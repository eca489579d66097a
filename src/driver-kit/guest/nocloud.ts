/** The seed of a guest on this computer or on a hypervisor: a CD image labelled `cidata`, as cloud-init's NoCloud reads it. */
import { writeFileAtomic } from "../../system/files.ts";
import { asciiYaml, type GuestSetup } from "./cloud-config.ts";
import { isoImage } from "./iso.ts";
import { cloudInitData, type CloudInitData } from "./user-data.ts";

/**
 * A network card of the guest. `primary` leads out; `hostonly` leads to this computer alone, without a route or a name
 * server; `extra` is one more network, whose routes come second.
 */
export interface GuestNetwork {
  /** With or without separators. */
  readonly macAddress: string;
  readonly role: "primary" | "hostonly" | "extra";
  /** ADDRESS/LENGTH, in the place of one by DHCP. */
  readonly address?: string | undefined;
}

export interface SeedWish extends GuestSetup {
  /** cloud-init takes a guest for a new one when this changes. */
  readonly instanceId: string;
  /** All cards, where there are several: cloud-init by itself configures one. */
  readonly networks?: readonly GuestNetwork[] | undefined;
  /** The user's own file. */
  readonly userData?: Uint8Array | undefined;
  readonly userDataFlag?: string | undefined;
}

export interface Seed extends Omit<CloudInitData, "bytes" | "gzipped"> {
  readonly files: Readonly<Record<string, string | Uint8Array>>;
}

/** NoCloud looks for a file system of this label. */
const seedLabel = "cidata";

/** The seed's files. Throws `driver-options` as {@link cloudInitData} does. */
export function cloudInitSeed(wish: SeedWish): Seed {
  const { bytes, gzipped: _gzipped, ...told } = cloudInitData(wish);
  const network = networkConfig(wish.networks ?? []);
  return {
    ...told,
    files: {
      "meta-data": `${asciiYaml(metaData(wish))}\n`,
      "user-data": bytes,
      ...(network === undefined ? {} : { "network-config": `${asciiYaml(network)}\n` }),
    },
  };
}

/** A seed's CD image, from its files. */
export function seedImage(files: Readonly<Record<string, string | Uint8Array>>): Buffer {
  return isoImage(seedLabel, files);
}

/** Writes the CD image, readable by its owner alone: it holds the host's private key. Tells what is in it. */
export async function writeSeed(file: string, wish: SeedWish): Promise<Omit<Seed, "files">> {
  const { files, ...told } = cloudInitSeed(wish);
  await writeFileAtomic(file, seedImage(files), 0o600);
  return told;
}

export function metaData({ instanceId, identity }: SeedWish): Readonly<Record<string, unknown>> {
  return { "instance-id": instanceId, "local-hostname": identity.hostName };
}

/** Version 2, cards told by their hardware address: what they are called is up to the guest. Undefined for one card. */
export function networkConfig(networks: readonly GuestNetwork[]): Readonly<Record<string, unknown>> | undefined {
  if (networks.length < 2) return undefined;
  const entries = networks.map(({ macAddress, role, address }, index) => {
    const match = { macaddress: colonSeparated(macAddress) };
    const fixed = address === undefined ? undefined : { match, addresses: [address], optional: true };
    return [role === "primary" ? role : `${role}${index}`, fixed ?? { match, dhcp4: true, ...settings[role] }];
  });
  return { version: 2, ethernets: Object.fromEntries(entries) };
}

/** A card that gets no address must not hold up the boot, unless it is the only way out. */
const settings: Readonly<Record<GuestNetwork["role"], Readonly<Record<string, unknown>>>> = {
  primary: {},
  hostonly: { optional: true, "dhcp4-overrides": { "use-routes": false, "use-dns": false } },
  extra: { optional: true, "dhcp4-overrides": { "route-metric": 200 } },
};

/** Lower case, as Linux shows it: cloud-init compares letters. */
function colonSeparated(macAddress: string): string {
  const digits = macAddress.replaceAll(/[^0-9a-fA-F]/gu, "").toLowerCase();
  if (digits.length !== 12) throw new RangeError(`${macAddress} is no hardware address`);
  return digits.match(/../gu)?.join(":") ?? "";
}
