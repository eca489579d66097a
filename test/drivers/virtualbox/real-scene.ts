/** The product's VBoxManage, and a machine's driver on it. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import * as path from "node:path";
import type { FlagValue } from "../../../src/driver-kit/create-flag.ts";
import type { Driver, DriverContext, DriverModule } from "../../../src/driver-kit/driver.ts";
import { virtualBoxModule } from "../../../src/drivers/virtualbox/index.ts";
import { parseVmInfo, type VmInfo } from "../../../src/drivers/virtualbox/vm-info.ts";
import { MachineError } from "../../../src/errors/machine-error.ts";
import { thisComputer, type Computer } from "../../../src/system/computer.ts";
import { SystemProcessRunner } from "../../../src/system/process.ts";
import { testDriverContext, type TestContext } from "../../../src/testing/driver-context.ts";
import { optionsOf } from "../../../src/testing/flag-values.ts";
import { openRealVBox, type RealVBox } from "./real-vboxmanage.ts";
import { assertRefused, configOf } from "../driver-scene.ts";
import { bootDisk } from "../../support/boot-disk.ts";

type Flags = Readonly<Record<string, FlagValue>>;

export class RealScene implements AsyncDisposable {
  readonly vbox: RealVBox;
  readonly signal = AbortSignal.timeout(240_000);
  readonly module: DriverModule = virtualBoxModule({
    ...{ moduleDevice: "/nowhere", firmwareVariables: "/nowhere", networksConf: "/nowhere" },
    networks: () => [],
  });
  readonly #tests: TestContext[] = [];
  readonly #flags: Flags;

  private constructor(vbox: RealVBox) {
    this.vbox = vbox;
    const image = path.join(vbox.folder, "image.raw");
    writeFileSync(image, bootDisk());
    this.#flags = { "virtualbox-image": image, "virtualbox-no-vtx-check": true, "virtualbox-no-share": true };
  }

  /** With a machine "web". */
  static async open(tree: string): Promise<RealScene> {
    const scene = new RealScene(await openRealVBox(tree));
    await scene.#addMachine("web", {});
    return scene;
  }

  async #addMachine(name: string, change: Partial<Computer>): Promise<DriverContext> {
    const computer = { ...thisComputer(), env: this.vbox.env, homeDir: this.vbox.folder, ...change };
    const openSsh = async (): Promise<never> => await Promise.reject(new MachineError("ssh-unreachable", "connect ECONNREFUSED"));
    const test = await testDriverContext(name, { computer, processes: new SystemProcessRunner(computer), openSsh });
    this.#tests.push(test);
    return test.context;
  }

  /** Of "web". */
  get context(): DriverContext {
    const [first] = this.#tests;
    assert.ok(first !== undefined);
    return first.context;
  }

  async configured(flags: Flags = {}, context: DriverContext = this.context): Promise<Driver> {
    const driver = this.module.open(context, undefined);
    await driver.setConfigFromFlags(optionsOf(this.module, { ...this.#flags, ...flags }));
    return driver;
  }

  async checked(flags?: Flags): Promise<Driver> {
    const driver = await this.configured(flags);
    await driver.preCreateCheck(this.signal);
    return driver;
  }

  /** A machine that is whole and does not start: there is no kernel module. */
  async made(flags?: Flags): Promise<Driver> {
    const driver = await this.checked(flags);
    await this.assertNotStarted(driver);
    return driver;
  }

  async assertNotStarted(driver: Driver): Promise<void> {
    await assertRefused(driver.create(this.signal), "driver-failed", /^Unable to start the VM: .*terminated unexpectedly/u);
  }

  /** A machine beside "web", on a computer that may be another. */
  async another(name: string, change: Partial<Computer> = {}): Promise<Driver> {
    return await this.configured({ "virtualbox-network": "nat" }, await this.#addMachine(name, change));
  }

  async info(driver: Driver): Promise<VmInfo> {
    return parseVmInfo(await this.vbox.run("showvminfo", String((await configOf(driver))["VmUuid"]), "--machinereadable"));
  }

  /** The driver of a later command. @param change what the record has in the place of what it has now */
  async reopened(driver: Driver, change: object = {}): Promise<Driver> {
    return this.module.open(this.context, JSON.stringify({ ...(await configOf(driver)), ...change }));
  }

  /** Machines, disks and CDs that VirtualBox knows. */
  async remains(): Promise<readonly string[]> {
    const texts = [await this.vbox.run("list", "vms"), await this.vbox.run("list", "hdds"), await this.vbox.run("list", "dvds")];
    return texts.map((text) => text.trim());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.vbox[Symbol.asyncDispose]();
    for (const test of this.#tests) await test[Symbol.asyncDispose]();
  }
}

/** What {@link RealScene.remains} gives where there is nothing. */
export const nothing = ["", "", ""] as const;
