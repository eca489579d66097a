/**
 * The id of one create, in each provider's alphabet: what is made at a provider bears it, so that a create which was cut
 * off finds what it began and nobody else's is ever taken for ours. No I/O.
 *
 * There is no mark without an id. Machines of 0.16.2 have none, and to look for "no id" would find, and remove, whatever
 * else has none: {@link createMark} answers undefined, and a compiler asks what then.
 */
import { createHash } from "node:crypto";
import { MachineError } from "../errors/machine-error.ts";

export interface CreateMark {
  /** As the record has it: an idempotency token where a provider takes one of 64 characters (EC2's ClientToken). */
  readonly id: string;
  /** Key and value where a key may hold a colon: EC2's tags. */
  readonly tag: { readonly key: "docker-machine:create-id"; readonly value: string };
  /** Key and value in letters, digits and dashes: labels of GCE, tags of Azure, metadata of OpenStack. */
  readonly label: { readonly key: "docker-machine-create-id"; readonly value: string };
  /** One word, for tags without a value: DigitalOcean's, OpenStack's of 60 characters at most. */
  readonly word: string;
  /** Key and value in a hypervisor's own settings of a machine (VMware's extraConfig, VirtualBox's extra data). */
  readonly setting: { readonly key: "guestinfo.docker-machine.create-id"; readonly value: string };
}

/** What every alphabet here allows: GCE's values are the narrowest. */
const idAlphabet = /^[a-z0-9](?:[a-z0-9_-]{0,40}[a-z0-9])?$/u;

/** The mark of a create; undefined for a machine that has no id. Throws `driver-failed` for an id that no label can bear. */
export function createMark(createId: string | undefined): CreateMark | undefined {
  if (createId === undefined || createId === "") return undefined;
  if (!idAlphabet.test(createId))
    throw new MachineError(
      "driver-failed",
      `The create id ${JSON.stringify(createId)} cannot be written into a provider's label`,
    );
  return {
    id: createId,
    tag: { key: "docker-machine:create-id", value: createId },
    label: { key: "docker-machine-create-id", value: createId },
    word: `docker-machine:${createId}`,
    setting: { key: "guestinfo.docker-machine.create-id", value: createId },
  };
}

/** The mark to make something with. Throws `driver-failed` where there is no id: what is made could not be found again. */
export function requireMark(createId: string | undefined): CreateMark {
  const mark = createMark(createId);
  if (mark !== undefined) return mark;
  throw new MachineError(
    "driver-failed",
    "This machine has no create id, so nothing can be made for it that would be found again",
    {
      hint: "Remove the machine and create it anew.",
    },
  );
}

/** Namespace of ids that are no UUIDs themselves. */
const ownNamespace = "6f1b0a52-4f5e-5b0a-9d43-2b7c5f0e8a11";
const uuidPattern = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/iu;

/**
 * A UUID that only this create can mean, by what it is for (`instance`, `firewall`): the same each time, so that a
 * request which is repeated is told to be the same. RFC 9562, version 5, in the create id's namespace.
 */
export function uuidOf(purpose: string, createId: string): string {
  const { id } = requireMark(createId);
  return uuidV5(uuidPattern.test(id) ? id : uuidV5(ownNamespace, id), purpose);
}

function uuidV5(namespace: string, name: string): string {
  const bytes = createHash("sha1")
    .update(Buffer.from(namespace.replaceAll("-", ""), "hex"))
    .update(name)
    .digest()
    .subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, "$1-$2-$3-$4-$5");
}

/** Beginnings of hardware addresses that hypervisors give out, and of VMware's the part for addresses chosen by hand. */
const macPrefixes = { virtualbox: [0x08, 0x00, 0x27], hyperv: [0x00, 0x15, 0x5d], vmware: [0x00, 0x50, 0x56] } as const;

/** `00:50:56:12:34:56`: a hardware address of this create, by what it is for. Lower case. */
export function macAddressOf(vendor: keyof typeof macPrefixes, purpose: string, createId: string): string {
  const [first = 0, ...rest] = Buffer.from(uuidOf(`mac ${purpose}`, createId).replaceAll("-", ""), "hex").subarray(0, 3);
  const bytes = [...macPrefixes[vendor], vendor === "vmware" ? first & 0x3f : first, ...rest];
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** A name that another create of the same machine's name does not have: `web-1a2b3c4d`. */
export function markedName(name: string, createId: string): string {
  return `${name}-${createHash("sha256").update(requireMark(createId).id).digest("hex").slice(0, 8)}`;
}

/** What a provider allows as an instance's name, and how a machine's name is made to fit. */
interface NameRule {
  readonly allowed: RegExp;
  readonly says: string;
  fit(name: string): string;
}

/** Cut so that `NAME-disk` still fits into 63 characters. */
const longestGoogleName = 58;

const nameRules = {
  digitalocean: {
    allowed: /^(?=.{1,255}$)[a-zA-Z0-9]?[a-z0-9A-Z.-]*[a-z0-9A-Z]$/u,
    says: "letters, digits, dots and dashes, and a letter or digit in the end",
    fit: (name) => name.slice(0, 255).replace(/[.-]+$/u, ""),
  },
  google: {
    allowed: /^[a-z](?:[-a-z0-9]{0,56}[a-z0-9])?$/u,
    says: "lower-case letters, digits and dashes, a letter first, at most 58 characters",
    fit: (name) => {
      const plain = name.toLowerCase().replaceAll(".", "-");
      return (/^[a-z]/u.test(plain) ? plain : `m-${plain}`).slice(0, longestGoogleName).replace(/-+$/u, "");
    },
  },
  azure: {
    allowed: /^(?=.{1,64}$)[a-zA-Z0-9](?:[a-zA-Z0-9_.-]*[a-zA-Z0-9_])?$/u,
    says: "letters, digits, dots and dashes, neither of them in the end, at most 64 characters",
    fit: (name) => name.slice(0, 64).replace(/[.-]+$/u, ""),
  },
} as const satisfies Readonly<Record<string, NameRule>>;

/**
 * Throws `driver-options`, with a name that would do, for a machine whose name its provider refuses: 0.16.2 finds an
 * instance by its machine's name alone, so it is not renamed behind the user's back.
 */
export function requireInstanceName(provider: keyof typeof nameRules, machineName: string): void {
  const { allowed, says, fit }: NameRule = nameRules[provider];
  if (allowed.test(machineName)) return;
  throw new MachineError("driver-options", `${provider} takes no instance named "${machineName}": it allows ${says}`, {
    hint: `Name the machine ${fit(machineName)}.`,
  });
}
