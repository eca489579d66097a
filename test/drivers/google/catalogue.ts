/** What a fake Compute Engine offers, and what it refuses as Google does. */
import type { compute_v1 } from "@googleapis/compute";

export const fakeProject = "acme-123";
export const zone = "us-central1-a";
export const types: Readonly<Record<string, string>> = {
  "e2-small": "X86_64",
  "n1-standard-1": "X86_64",
  "c4a-standard-1": "ARM64",
};
export const images: Readonly<Record<string, { architecture: string; diskSizeGb: string; family: string }>> = {
  "ubuntu-os-cloud/ubuntu-2604-noble-v1": { architecture: "X86_64", diskSizeGb: "10", family: "ubuntu-2604-lts-amd64" },
  "ubuntu-os-cloud/ubuntu-2604-arm-v1": { architecture: "ARM64", diskSizeGb: "10", family: "ubuntu-2604-lts-arm64" },
  "ubuntu-os-cloud/ubuntu-2204-v7": { architecture: "X86_64", diskSizeGb: "10", family: "ubuntu-2204-lts" },
  "debian-cloud/debian-13-v3": { architecture: "X86_64", diskSizeGb: "10", family: "debian-13" },
  "rocky-linux-cloud/rocky-linux-9-v2": { architecture: "X86_64", diskSizeGb: "20", family: "rocky-linux-9" },
};

/** Ends a request with an answer of Google's. */
export class Refused extends Error {
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

export const networks: Readonly<Record<string, object>> = {
  default: { name: "default", autoCreateSubnetworks: true },
  custom: { name: "custom", autoCreateSubnetworks: false },
};

export const regional: Readonly<Record<string, object>> = {
  "addresses/web-ip": { name: "web-ip", address: "203.0.113.5", status: "RESERVED" },
  "addresses/used-ip": { name: "used-ip", address: "203.0.113.6", status: "IN_USE", users: ["projects/p/zones/z/instances/db"] },
  "subnetworks/sub": {
    name: "sub",
    network: `https://www.googleapis.com/compute/v1/projects/${fakeProject}/global/networks/custom`,
    stackType: "IPV4_IPV6",
    ipv6AccessType: "EXTERNAL",
  },
  "subnetworks/plain": { name: "plain", network: `projects/${fakeProject}/global/networks/custom`, stackType: "IPV4_ONLY" },
};

export function imageOf(project: string, parts: readonly string[]): object | undefined {
  const isFamily = parts[0] === "family";
  const name = parts.at(-1) ?? "";
  const found = Object.entries(images).find(([key, { family }]) =>
    isFamily ? key.startsWith(`${project}/`) && family === name : key === `${project}/${name}`,
  );
  return found === undefined ? undefined : { name: found[0].split("/")[1], ...found[1] };
}

export function requireName(name: string | null | undefined): string {
  if (typeof name === "string" && /^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/u.test(name)) return name;
  throw new Refused(400, "invalid", `Invalid value for field 'resource.name': '${name}'`);
}

export function checkWish({
  machineType,
  disks,
  networkInterfaces,
  labels,
  scheduling,
  guestAccelerators,
}: compute_v1.Schema$Instance): void {
  const invalid = (field: string): never => {
    throw new Refused(400, "invalid", `Invalid value for field 'resource.${field}'`);
  };
  if (types[(machineType ?? "").split("/").at(-1) ?? ""] === undefined) invalid("machineType");
  if (disks?.length !== 1 || disks[0]?.boot !== true) invalid("disks");
  if (networkInterfaces?.length !== 1) invalid("networkInterfaces");
  for (const [key, value] of Object.entries(labels ?? {}))
    if (!/^[a-z][a-z0-9_-]{0,62}$/u.test(key) || !/^[a-z0-9_-]{0,63}$/u.test(value)) invalid("labels");
  if (scheduling?.provisioningModel === "SPOT" && scheduling.automaticRestart !== false) invalid("scheduling.automaticRestart");
  if ((guestAccelerators ?? []).length > 0 && scheduling?.onHostMaintenance !== "TERMINATE")
    invalid("scheduling.onHostMaintenance");
}
