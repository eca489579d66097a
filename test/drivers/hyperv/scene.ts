/** A Windows computer with the stand-in for Hyper-V, and a machine's driver on it, with time that passes by itself. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after } from "node:test";
import type { DriverContext, Resource } from "../../../src/driver-kit/driver.ts";
import { driverModule } from "../../../src/drivers/hyperv/index.ts";
import type { Clock } from "../../../src/system/clock.ts";
import { thisComputer, type Computer } from "../../../src/system/computer.ts";
import { SystemProcessRunner } from "../../../src/system/process.ts";
import { bootDisk } from "../../support/boot-disk.ts";
import { HastyClock } from "../../support/hasty-clock.ts";
import { openDriverScene, type DriverScene, type Flags } from "../driver-scene.ts";
import { FakeHyperv } from "./fake-hyperv.ts";
import type { Behaviour, FakeVm } from "./fake-model.ts";
import { installPowerShell, processesOn } from "./fake-powershell.ts";

const scratch = mkdtempSync(path.join(tmpdir(), "docker-machine-hyperv-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

const image = path.join(scratch, "image.raw");
writeFileSync(image, bootDisk());

export const baseFlags: Flags = { "hyperv-image": image };

let counter = 0;

export interface World {
  readonly hyperv: FakeHyperv;
  readonly context: Partial<DriverContext> & Pick<DriverContext, "computer" | "processes">;
}

/** Scripts run in this process. */
export function newWorld(clock: Clock, behaviour: Behaviour = {}): World {
  const hyperv = FakeHyperv.install(path.join(scratch, String((counter += 1))), behaviour, () => clock.now().getTime());
  return { hyperv, context: { clock, computer: windows(), processes: processesOn(hyperv) } };
}

/** Scripts run as processes of a program on PATH; the time is the real one. */
export function newProgramWorld(behaviour: Behaviour = {}): World {
  const hyperv = FakeHyperv.install(path.join(scratch, String((counter += 1))), behaviour);
  const computer = windows(installPowerShell(hyperv.folder));
  return { hyperv, context: { computer, processes: new SystemProcessRunner(computer) } };
}

function windows(bin = "/nowhere"): Computer {
  return { ...thisComputer(), os: "windows", arch: "x64", env: { PATH: bin, PATHEXT: "" }, homeDir: undefined };
}

/** All that there is, as the driver tells it. */
export function resourcesOf({ state }: FakeHyperv): readonly Resource[] {
  return state.vms.map(({ Id }) => ({ kind: "instance", id: Id }));
}

export interface Scene extends DriverScene {
  readonly hyperv: FakeHyperv;
  /** The only machine that was made. */
  own(): FakeVm;
}

export async function openScene(
  behaviour: Behaviour = {},
  overrides: Partial<DriverContext> = {},
  make: (behaviour: Behaviour) => World = (given) => newWorld(new HastyClock(), given),
): Promise<Scene> {
  const { hyperv, context } = make(behaviour);
  const scene = await openDriverScene(driverModule, (flags) => ({ ...baseFlags, ...flags }), { ...context, ...overrides });
  const before = new Set(hyperv.state.vms.map(({ Id }) => Id));
  return {
    ...scene,
    hyperv,
    own: () => {
      const [found, ...more] = hyperv.state.vms.filter(
        ({ Id, Notes }) => !before.has(Id) && Notes.includes("docker-machine:test-web"),
      );
      if (found === undefined || more.length > 0) throw new Error(`${more.length + 1} machines of ours`);
      return found;
    },
  };
}

/** A record as 0.16.2's own code writes it. */
export function recordOf016(more: object = {}): Readonly<Record<string, unknown>> {
  return {
    IPAddress: "172.27.1.7",
    MachineName: "web",
    SSHUser: "docker",
    SSHPort: 22,
    SSHKeyPath: "C:\\Users\\alice\\.docker\\machine\\machines\\web\\id_rsa",
    StorePath: "C:\\Users\\alice\\.docker\\machine",
    SwarmMaster: false,
    SwarmHost: "tcp://0.0.0.0:3376",
    SwarmDiscovery: "",
    Boot2DockerURL: "",
    VSwitch: "",
    DiskSize: 20_000,
    MemSize: 1_024,
    CPU: 1,
    MacAddr: "",
    VLanID: 0,
    DisableDynamicMemory: false,
    ...more,
  };
}
