/** What stands behind the VMs of the stand-in: hosts of the lab in end-to-end tests, else nothing but addresses. */
import type { ReadSeed } from "./seed-reading.ts";
import type { LabVm } from "./vcsim.ts";

/** What a VM is switched by. Each gives the guest's address from then on. */
export interface Hardware {
  boot(vm: LabVm, seed: ReadSeed | undefined): Promise<string>;
  power(vm: LabVm, change: "on" | "off" | "shut down" | "again"): Promise<string>;
  remove(vm: LabVm): Promise<void>;
}

/** Guests that are no more than an address, another one each time they are switched on. */
export function numbers(): Hardware {
  let last = 10;
  const next = async (): Promise<string> => `192.0.2.${(last += 1)}`;
  return { boot: next, power: next, remove: async () => {} };
}
