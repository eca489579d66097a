/** The same seed for guests of VMware that read it through their tools: cloud-init's VMware source, keys of `extraConfig`. */
import { gzipSync } from "node:zlib";
import { asciiYaml } from "./cloud-config.ts";
import { metaData, networkConfig, type Seed, type SeedWish } from "./nocloud.ts";
import { cloudInitData } from "./user-data.ts";

export interface GuestInfoSeed extends Omit<Seed, "files"> {
  /** Keys with their whole name, `guestinfo.userdata`, and their values. The values are secret. */
  readonly values: Readonly<Record<string, string>>;
}

/**
 * cloud-init wipes the user data out of the guest's information once it has read it (`redact`), because whoever may
 * look at the machine could read the host's private key there. Until then, and in the hypervisor's files, it can be read.
 */
export function guestInfoSeed(wish: SeedWish): GuestInfoSeed {
  const { bytes, gzipped: _gzipped, ...told } = cloudInitData(wish);
  const network = networkConfig(wish.networks ?? []);
  const metadata = { ...metaData(wish), redact: ["userdata"], ...(network === undefined ? {} : { network }) };
  return {
    ...told,
    values: { ...encoded("guestinfo.metadata", `${asciiYaml(metadata)}\n`), ...encoded("guestinfo.userdata", bytes) },
  };
}

function encoded(key: string, content: string | Uint8Array): Readonly<Record<string, string>> {
  return { [key]: gzipSync(content, { level: 9 }).toString("base64"), [`${key}.encoding`]: "gzip+base64" };
}
