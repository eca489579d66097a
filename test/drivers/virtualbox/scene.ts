/** A computer with the stand-in on it, and a machine's driver there, with time that passes by itself. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import type { Driver, DriverContext, DriverModule, Resource } from "../../../src/driver-kit/driver.ts";
import { virtualBoxModule } from "../../../src/drivers/virtualbox/index.ts";
import type { HostSurroundings } from "../../../src/drivers/virtualbox/workplace.ts";
import { MachineError } from "../../../src/errors/machine-error.ts";
import type { Clock } from "../../../src/system/clock.ts";
import { thisComputer, type Computer } from "../../../src/system/computer.ts";
import type { ProcessRunner, RunOptions, RunResult } from "../../../src/system/process.ts";
import { HastyClock } from "../../support/hasty-clock.ts";
import { openDriverScene, type DriverScene, type Flags } from "../driver-scene.ts";
import type { FakeOptions } from "./fake-state.ts";
import { FakeVBox, type FakeHardware } from "./fake-vbox.ts";
import { bootDisk } from "../../support/boot-disk.ts";

export const program = "/usr/bin/VBoxManage";

/** Calls of VBoxManage come to the stand-in; no other program is installed. */
class FakeVBoxRunner implements ProcessRunner {
  readonly #vbox: FakeVBox;
  /** Other programs, by their names. */
  readonly others: Record<string, (args: readonly string[]) => Partial<RunResult>> = {};

  constructor(vbox: FakeVBox) {
    this.#vbox = vbox;
  }

  async find(name: string): Promise<string | undefined> {
    return /(?:^|[\\/])VBoxManage(?:\.exe)?$/u.test(name) ? program : undefined;
  }

  spawn(): never {
    assert.fail("nothing is spawned");
  }

  async run(name: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    options.signal?.throwIfAborted();
    const nothing = { status: 0, signal: null, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
    const other = this.others[name];
    if (other !== undefined) return { ...nothing, ...other(args) };
    assert.equal(name, program);
    const { status, stdout, stderr } = await this.#vbox.run(args, await contentOf(options.stdin));
    return { ...nothing, status, stdout: Buffer.from(stdout), stderr: Buffer.from(stderr) };
  }
}

async function contentOf(stdin: RunOptions["stdin"]): Promise<Uint8Array> {
  if (typeof stdin !== "function") return Buffer.from(stdin ?? "");
  const pieces: Buffer[] = [];
  await stdin(async (bytes) => void pieces.push(Buffer.from(bytes)));
  return Buffer.concat(pieces);
}

export interface World extends AsyncDisposable {
  readonly folder: string;
  readonly vbox: FakeVBox;
  readonly runner: FakeVBoxRunner;
  readonly module: DriverModule;
  readonly surroundings: HostSurroundings;
  readonly context: Partial<DriverContext>;
  /** Flags for a machine that needs nothing from elsewhere. */
  readonly flags: Flags;
  /** What VirtualBox has, of whomever. */
  resources(): readonly Resource[];
}

export interface WorldWish {
  readonly clock?: Clock | undefined;
  readonly fake?: Partial<FakeOptions> | undefined;
  readonly hardware?: FakeHardware | undefined;
  readonly surroundings?: Partial<HostSurroundings> | undefined;
  readonly computer?: Partial<Computer> | undefined;
}

export function openWorld({
  clock = new HastyClock(),
  fake = {},
  hardware,
  surroundings = {},
  computer = {},
}: WorldWish = {}): World {
  const folder = mkdtempSync(path.join(tmpdir(), "docker-machine-virtualbox-"));
  const image = path.join(folder, "image.raw");
  writeFileSync(image, bootDisk());
  writeFileSync(path.join(folder, "vboxdrv"), "");
  const vbox = new FakeVBox(clock, fake, hardware);
  const runner = new FakeVBoxRunner(vbox);
  const host: HostSurroundings = {
    moduleDevice: path.join(folder, "vboxdrv"),
    firmwareVariables: path.join(folder, "efivars"),
    networksConf: path.join(folder, "networks.conf"),
    networks: () => [{ name: "eth0", address: "10.0.0.2", netmask: "255.255.255.0" }],
    ...surroundings,
  };
  const cacheDir = path.join(folder, "cache");
  return {
    ...{ folder, vbox, runner, surroundings: host, module: virtualBoxModule(host) },
    context: {
      ...{ clock, processes: runner, cacheDir, openSsh: unreachable },
      computer: {
        ...thisComputer(),
        ...{
          os: "linux",
          arch: "x64",
          env: { VBOX_USER_HOME: path.join(cacheDir, "VirtualBox") },
          homeDir: path.join(folder, "home"),
        },
        ...computer,
      },
    },
    flags: { "virtualbox-image": image, "virtualbox-no-share": true },
    resources: () => [
      ...vbox.state.vms.map(({ uuid }) => ({ kind: "instance", id: uuid })),
      ...vbox.state.interfaces.map(({ name }) => ({ kind: "host-only-network", id: name })),
      ...vbox.state.networks.map(({ name }) => ({ kind: "host-only-network", id: name })),
    ],
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The guest boots yet, for ever. */
async function unreachable(): Promise<never> {
  throw new MachineError("ssh-unreachable", "connect ECONNREFUSED");
}

/** A machine of others, in a folder of theirs. Gives its id. */
export async function addForeignVm({ vbox, folder }: World, name: string): Promise<string> {
  const made = await vbox.run([
    "createvm",
    "--name",
    name,
    "--basefolder",
    path.join(folder, "theirs"),
    "--ostype",
    "Debian_64",
    "--register",
  ]);
  assert.equal(made.status, 0, made.stderr);
  return /^UUID: (\S+)$/mu.exec(made.stdout)?.[1] ?? "";
}

export interface Scene extends DriverScene {
  readonly world: World;
  /** Made, running, and located. */
  created(flags?: Flags): Promise<Driver>;
}

export async function openScene(wish: WorldWish = {}, overrides: Partial<DriverContext> = {}): Promise<Scene> {
  const world = openWorld(wish);
  const flagsOf = (flags: Flags): Flags => ({ ...world.flags, ...flags });
  const scene = await openDriverScene(world.module, flagsOf, { ...world.context, ...overrides });
  const { context, signal } = scene;
  return {
    ...scene,
    world,
    created: async (flags) => {
      const driver = await scene.created(flags);
      await context.clock.sleep(5_000);
      await driver.locate?.(signal);
      return driver;
    },
    [Symbol.asyncDispose]: async () => {
      await scene[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

/** A record as 0.16.2's own code writes it. */
export function recordOf016(more: object = {}): Readonly<Record<string, unknown>> {
  return {
    ...{ IPAddress: "192.168.99.100", MachineName: "web", SSHUser: "docker", SSHPort: 52_683 },
    ...{ SSHKeyPath: "/home/alice/.docker/machine/machines/web/id_rsa", StorePath: "/home/alice/.docker/machine" },
    ...{ SwarmMaster: false, SwarmHost: "tcp://0.0.0.0:3376", SwarmDiscovery: "" },
    ...{ VBoxManager: {}, HostInterfaces: {}, CPU: 1, Memory: 1024, DiskSize: 20_000, NatNicType: "82540EM" },
    ...{ Boot2DockerURL: "", Boot2DockerImportVM: "", HostDNSResolver: false, HostOnlyCIDR: "192.168.99.1/24" },
    ...{ HostOnlyNicType: "82540EM", HostOnlyPromiscMode: "deny", UIType: "headless", HostOnlyNoDHCP: false },
    ...{ NoShare: false, DNSProxy: true, NoVTXCheck: false, ShareFolder: "" },
    ...more,
  };
}
