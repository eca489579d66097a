/** A computer with the stand-in for VMware, and a machine's driver on it, with time that passes by itself. */
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after } from "node:test";
import type { DriverContext, Resource } from "../../../src/driver-kit/driver.ts";
import { driverModule } from "../../../src/drivers/vmwarefusion/index.ts";
import type { Clock } from "../../../src/system/clock.ts";
import { thisComputer, type Computer } from "../../../src/system/computer.ts";
import { SystemProcessRunner } from "../../../src/system/process.ts";
import { bootDisk } from "../../support/boot-disk.ts";
import { HastyClock } from "../../support/hasty-clock.ts";
import { openDriverScene, type DriverScene, type Flags } from "../driver-scene.ts";
import { installPrograms, processesOn, sshInto } from "./fake-programs.ts";
import { FakeVmware, type Behaviour, type FakeRunning } from "./fake-vmware.ts";

const scratch = realpathSync(mkdtempSync(path.join(tmpdir(), "docker-machine-vmware-")));
after(() => rmSync(scratch, { recursive: true, force: true }));

const image = path.join(scratch, "image.raw");
writeFileSync(image, bootDisk());

export const baseFlags: Flags = { "vmwarefusion-image": image };

let counter = 0;

export interface World {
  readonly vmware: FakeVmware;
  readonly context: Partial<DriverContext> & Pick<DriverContext, "computer" | "processes">;
}

/** Programs run in this process. */
export function newWorld(clock: Clock, behaviour: Behaviour = {}): World {
  const vmware = FakeVmware.install(path.join(scratch, String((counter += 1))), behaviour, () => clock.now().getTime());
  const context = { clock, computer: computerOf(vmware), processes: processesOn(vmware) };
  return { vmware, context: { ...context, openSsh: async () => sshInto(vmware, () => ours(vmware)) } };
}

/** Programs on PATH; the time is the real one. */
export function newProgramWorld(behaviour: Behaviour = {}): World {
  const vmware = FakeVmware.install(path.join(scratch, String((counter += 1))), behaviour);
  const computer = computerOf(vmware, installPrograms(vmware.folder));
  const processes = new SystemProcessRunner(computer);
  return { vmware, context: { computer, processes, openSsh: async () => sshInto(vmware, () => ours(vmware)) } };
}

/** Windows has Workstation, and the folder of its leases in a variable; the other product is macOS' alone. */
function computerOf({ folder, behaviour }: FakeVmware, bin = "/nowhere"): Computer {
  const { product = "ws", arch = "x64" } = behaviour;
  const env = { PATH: bin, PATHEXT: "", ALLUSERSPROFILE: path.join(folder, "ProgramData") };
  return { ...thisComputer(), os: product === "ws" ? "windows" : "darwin", arch, env, homeDir: undefined, cpus: 6 };
}

function ours(vmware: FakeVmware): string {
  return vmware.machines.find((vmx) => !vmx.startsWith(vmware.folder)) ?? "";
}

/** All that there is, as the driver tells it. */
export function resourcesOf(vmware: FakeVmware): readonly Resource[] {
  return vmware.machines.map((vmx) => ({ kind: "instance", id: vmx }));
}

export interface Scene extends DriverScene {
  readonly vmware: FakeVmware;
  /** The machine's own file. */
  readonly vmx: string;
  /** The machine as it runs; undefined where it does not. */
  running(): FakeRunning | undefined;
}

export async function openScene(
  behaviour: Behaviour = {},
  overrides: Partial<DriverContext> = {},
  make: (behaviour: Behaviour) => World = (given) => newWorld(new HastyClock(), given),
): Promise<Scene> {
  const { vmware, context } = make(behaviour);
  const scene = await openDriverScene(driverModule, (flags) => ({ ...baseFlags, ...flags }), { ...context, ...overrides });
  const vmx = path.join(realpathSync(scene.context.machineDir), "web.vmx");
  return { ...scene, vmware, vmx, running: () => vmware.running.find((one) => one.vmx === vmx) };
}

/** A record as 0.16.2's own code writes it. */
export function recordOf016(more: object = {}): Readonly<Record<string, unknown>> {
  return {
    IPAddress: "172.16.1.7",
    MachineName: "web",
    SSHUser: "docker",
    SSHPort: 22,
    SSHKeyPath: "/Users/alice/.docker/machine/machines/web/id_rsa",
    StorePath: "/Users/alice/.docker/machine",
    SwarmMaster: false,
    SwarmHost: "tcp://0.0.0.0:3376",
    SwarmDiscovery: "",
    Memory: 1_024,
    DiskSize: 20_000,
    CPU: 1,
    ISO: "/Users/alice/.docker/machine/machines/web/boot2docker.iso",
    Boot2DockerURL: "",
    SSHPassword: "tcuser",
    ConfigDriveISO: "",
    ConfigDriveURL: "",
    NoShare: false,
    ...more,
  };
}
