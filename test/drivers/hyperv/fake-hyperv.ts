/**
 * Hyper-V where the driver can see it: virtual machines, their disks and drives, switches, and the guests that boot in them.
 * Its state is a file, so that it is the same for the program and for a test that looks. Each cmdlet does what Microsoft's
 * documentation says, refuses what the product refuses, and what no script of ours needs is not there.
 */
import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { PowerShellError } from "./cmdlet-rules.ts";
import { addressOf, Cmdlets, removeConfiguration, required } from "./fake-cmdlets.ts";
import {
  defaultSwitch,
  externalSwitch,
  type Arguments,
  type Behaviour,
  type FakeState,
  type FakeVm,
  type PowerShellObject,
} from "./fake-model.ts";

const mib = 1024 * 1024;

export class FakeHyperv {
  readonly folder: string;
  readonly #now: () => number;

  /** @param folder where state and behaviour are kept @param now time in milliseconds */
  constructor(folder: string, now: () => number = Date.now) {
    this.folder = folder;
    this.#now = now;
  }

  static install(folder: string, behaviour: Behaviour = {}, now?: () => number): FakeHyperv {
    mkdirSync(folder, { recursive: true });
    const fake = new FakeHyperv(folder, now);
    fake.behave(behaviour);
    fake.save({ switches: [externalSwitch, defaultSwitch], vms: [] });
    return fake;
  }

  behave(behaviour: Behaviour): void {
    this.#write("behaviour.json", behaviour);
  }

  get behaviour(): Behaviour {
    return JSON.parse(readFileSync(path.join(this.folder, "behaviour.json"), "utf8")) as Behaviour;
  }

  get state(): FakeState {
    return JSON.parse(readFileSync(path.join(this.folder, "state.json"), "utf8")) as FakeState;
  }

  save(state: FakeState): void {
    this.#write("state.json", state);
  }

  #write(name: string, value: unknown): void {
    const file = path.join(this.folder, name);
    writeFileSync(`${file}.${process.pid}`, JSON.stringify(value));
    renameSync(`${file}.${process.pid}`, file);
  }

  /** Changes one virtual machine, behind the driver's back. */
  change(id: string, work: (vm: FakeVm) => void): void {
    const { switches, vms } = this.state;
    work(required(vms, id));
    this.save({ switches, vms });
  }

  /** Someone removes it. */
  lose(id: string): void {
    const { switches, vms } = this.state;
    removeConfiguration(required(vms, id));
    this.save({ switches, vms: vms.filter((vm) => vm.Id !== id) });
  }

  /** A virtual machine of someone else. */
  addForeign(Name: string, more: Partial<FakeVm> = {}): FakeVm {
    const { switches, vms } = this.state;
    const vm: FakeVm = {
      ...{ Id: randomUUID(), Name, Generation: 2, State: "Off", Status: "Operating normally", Notes: "" },
      ConfigurationLocation: `C:\\VMs\\${Name}`,
      switchName: externalSwitch.Name,
      memory: { startup: 1024 * mib, isDynamic: false },
      ...{ cpus: 1, mac: "00155D000001", secureBoot: "On", template: "MicrosoftWindows", autoCheckpoints: true },
      automatic: { start: "StartIfRunning", stop: "Save" },
      ...{ disks: [], drives: [], bootDevice: "VHD", startedMs: 0 },
      ...more,
    };
    this.save({ switches, vms: [...vms, vm] });
    return vm;
  }

  /** Runs a cmdlet whose parameters were checked. Throws `PowerShellError`. */
  run(cmdlet: string, given: Arguments): readonly PowerShellObject[] {
    const failing = this.behaviour.failing?.[cmdlet];
    if (failing !== undefined) throw new PowerShellError(`${failing[0]},Microsoft.HyperV.PowerShell`, failing[1]);
    if (cmdlet.startsWith("Hyper-V\\") && this.behaviour.rights === "none")
      throw new PowerShellError(
        "AccessDenied,Microsoft.HyperV.PowerShell",
        "Sie verfügen nicht über die erforderliche Berechtigung.",
        "PermissionDenied",
      );
    if (cmdlet === "Hyper-V\\Get-VM" && this.behaviour.rights === "blind" && !given.has("Id")) return [];
    const { switches, vms } = this.state;
    const work = new Cmdlets(switches, vms, this.behaviour, this.#now());
    const result = work.run(cmdlet, given);
    this.save({ switches, vms: work.vms });
    return result;
  }

  /** Where a guest is now. */
  addressOf(id: string): string {
    return addressOf(required(this.state.vms, id));
  }
}
