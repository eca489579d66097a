/** What the parts of the driver work on: one machine, its record and its ledger, and vSphere. */
import type { DriverPlace } from "../../driver-kit/defined-driver.ts";
import type { Pace } from "../../system/waiting.ts";
import type { VimApi } from "./api/vim-api.ts";
import type { Ref } from "./api/wire.ts";
import type { VsphereConfig } from "./options.ts";

export type Workplace = DriverPlace<VsphereConfig, VimApi>;

/**
 * Kinds of what is made, as the ledger and `findResources` name them: the VM by its instance UUID, the seed's CD by its path
 * on the datastore, a CD that it boots from by the same, and an image that is being brought to vSphere by the UUID that its template will have.
 */
export const kinds = { instance: "instance", seed: "seed", disc: "disc", image: "image" } as const;

export const pace: Pace = { firstMs: 1_000, mostMs: 5_000, jitter: 0.2 };

/** `TYPE VALUE`, as the record keeps references. */
export function refText({ type, value }: Ref): string {
  return `${type} ${value}`;
}

export function refFrom(text: string): Ref {
  const at = text.indexOf(" ");
  return { type: text.slice(0, at), value: text.slice(at + 1) };
}

export function poolOf({ PoolRef }: VsphereConfig): Ref {
  return { type: "ResourcePool", value: PoolRef };
}

export function folderOf({ FolderRef }: VsphereConfig): Ref {
  return { type: "Folder", value: FolderRef };
}

/** Undefined where vSphere chooses. */
export function hostOf({ HostRef }: VsphereConfig): Ref | undefined {
  return HostRef === "" ? undefined : { type: "HostSystem", value: HostRef };
}

export function datacenterOf({ DatacenterRef }: VsphereConfig): Ref {
  return { type: "Datacenter", value: DatacenterRef };
}
