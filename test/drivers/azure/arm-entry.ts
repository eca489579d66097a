/** What the fake resource manager holds, and how one thing refers to another. */
import { randomUUID } from "node:crypto";

export type Json = Record<string, unknown>;

export interface FakeEntry {
  readonly id: string;
  /** In lower case. */
  readonly type: string;
  /** As it was put last. */
  body: Json;
  state: "Creating" | "Updating" | "Succeeded" | "Failed" | "Deleting";
  power: string;
  readonly vmId: string;
  address: string;
  /** How often a virtual machine was restarted. */
  reboots: number;
}

export interface ArmFailure {
  readonly code: string;
  readonly message: string;
}

export class ArmRefusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export function newEntry(id: string, body: Json): FakeEntry {
  const parts = id.split("/providers/")[1]?.split("/") ?? [];
  const type = [parts[0], ...parts.slice(1).filter((_part, at) => at % 2 === 0)].join("/").toLowerCase();
  return { id, type, body, state: "Creating", power: "", vmId: randomUUID(), address: "", reboots: 0 };
}

export function propertiesOf(body: Json): Json {
  return (body["properties"] ?? {}) as Json;
}

export function tagsOf(body: Json): Readonly<Record<string, string>> {
  return (body["tags"] ?? {}) as Record<string, string>;
}

interface Reference {
  readonly id: string;
  readonly properties?: { readonly deleteOption?: string };
}

export function nicsOf(entry: FakeEntry): readonly Reference[] {
  return ((propertiesOf(entry.body)["networkProfile"] ?? {}) as { networkInterfaces?: Reference[] }).networkInterfaces ?? [];
}

export function addressOf(nic: FakeEntry): Reference | undefined {
  const [first] = (propertiesOf(nic.body)["ipConfigurations"] ?? []) as { properties?: { publicIPAddress?: Reference } }[];
  return first?.properties?.publicIPAddress;
}

/** Identifiers that a resource refers to. */
export function referencesOf({ type, body }: Pick<FakeEntry, "type" | "body">): readonly string[] {
  const found: string[] = [];
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === "id" && typeof inner === "string" && inner.includes("/resourceGroups/")) found.push(inner);
      walk(inner);
    }
  };
  if (!type.endsWith("/virtualnetworks")) walk(propertiesOf(body));
  return found;
}

const inUseCodes: Readonly<Record<string, string>> = {
  "microsoft.network/networkinterfaces": "NicInUse",
  "microsoft.network/publicipaddresses": "PublicIPAddressCannotBeDeleted",
  "microsoft.network/networksecuritygroups": "InUseNetworkSecurityGroupCannotBeDeleted",
  "microsoft.network/virtualnetworks/subnets": "InUseSubnetCannotBeDeleted",
  "microsoft.network/virtualnetworks": "InUseSubnetCannotBeDeleted",
};

export function inUseCode({ type }: FakeEntry): string {
  return inUseCodes[type] ?? "OperationNotAllowed";
}
