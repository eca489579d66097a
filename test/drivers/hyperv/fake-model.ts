/** What the stand-in for Hyper-V is made of: a computer as it behaves, switches, virtual machines, objects of PowerShell. */

/** What this computer is like. */
export interface Behaviour {
  /** Of those who have none, some Windows tell so, and others show nothing. */
  readonly rights?: "administrator" | "hyperv" | "none" | "blind";
  readonly hasModule?: boolean;
  readonly hasHypervisor?: boolean;
  readonly hasFirmware?: boolean;
  readonly service?: string;
  readonly constrained?: boolean;
  /** Windows before 10, which makes no checkpoints by itself. */
  readonly isOld?: boolean;
  /** Guests tell their addresses. */
  readonly hasKvp?: boolean;
  /** After a start, before the neighbour cache has seen the guest; 5 s unless told. */
  readonly addressMs?: number;
  /** Guests are in no neighbour cache, but the Default Switch's name server knows them. */
  readonly hasNames?: boolean;
  /** Nobody ever learns a guest's address. */
  readonly isMute?: boolean;
  /** Guests do not hear that they should shut down: `refused` at once, `hangs` until another process ends them. */
  readonly shutdown?: "heard" | "refused" | "hangs";
  /** Lists come as objects of a list and its length, as PowerShell 5.1 has it now and then. */
  readonly wrapsLists?: boolean;
  readonly memoryMiB?: number;
  /** Cmdlets that fail, with the id and the words of their error. */
  readonly failing?: Readonly<Record<string, readonly [id: string, message: string]>>;
}

export interface FakeSwitch {
  readonly Id: string;
  readonly Name: string;
  readonly SwitchType: "Private" | "Internal" | "External";
}

export interface FakeVm {
  readonly Id: string;
  Name: string;
  readonly Generation: number;
  State: string;
  Status: string;
  Notes: string;
  /** Where its configuration is. */
  ConfigurationLocation: string;
  readonly switchName: string;
  memory: { startup: number; minimum?: number; maximum?: number; isDynamic: boolean };
  cpus: number;
  mac: string;
  vlan?: number;
  secureBoot: "On" | "Off";
  template: string;
  autoCheckpoints: boolean;
  automatic: { start: string; stop: string };
  disks: string[];
  /** One for each drive; "" = empty. */
  drives: string[];
  bootDevice: string;
  startedMs: number;
  /** What the guest read at its first boot. */
  seed?: { userData: string; metaData: string };
}

export interface FakeState {
  readonly switches: FakeSwitch[];
  readonly vms: FakeVm[];
}

export const defaultSwitch: FakeSwitch = {
  Id: "c08cb7b8-9b3c-408e-8e30-5e16a3aeb444",
  Name: "Standardswitch",
  SwitchType: "Internal",
};
export const externalSwitch: FakeSwitch = { Id: "0b6d7c5e-3a4f-4a53-9d0c-6d2f7a1b8c9d", Name: "LAN", SwitchType: "External" };

/** A result of a cmdlet: what it is, and its properties. */
export interface PowerShellObject {
  readonly type: string;
  readonly id: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

export type Argument = string | number | boolean | readonly PowerShellObject[];

/** What a cmdlet was given; checked before. */
export class Arguments {
  readonly #given: ReadonlyMap<string, Argument>;

  constructor(given: ReadonlyMap<string, Argument>) {
    this.#given = given;
  }

  has(name: string): boolean {
    return this.#given.has(name);
  }

  text(name: string, fallback = ""): string {
    const value = this.#given.get(name);
    return typeof value === "string" ? value : fallback;
  }

  number(name: string, fallback = Number.NaN): number {
    const value = this.#given.get(name);
    return typeof value === "number" ? value : fallback;
  }

  truth(name: string, fallback: boolean): boolean {
    const value = this.#given.get(name);
    return typeof value === "boolean" ? value : fallback;
  }

  /** The id of the object that was given. */
  objectId(name: string): string {
    const value = this.#given.get(name);
    return Array.isArray(value) ? ((value[0] as PowerShellObject | undefined)?.id ?? "") : "";
  }
}
