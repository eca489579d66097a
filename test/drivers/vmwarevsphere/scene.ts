/** A vCenter and a machine's driver on it, with time that passes by itself. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import type { FlagValue } from "../../../src/driver-kit/create-flag.ts";
import type { Driver, DriverContext, Resource } from "../../../src/driver-kit/driver.ts";
import { driverModule } from "../../../src/drivers/vmwarevsphere/index.ts";
import type { HttpRequest } from "../../../src/driver-kit/http-transport.ts";
import type { ErrorCode } from "../../../src/errors/codes.ts";
import { MachineError } from "../../../src/errors/machine-error.ts";
import { thisComputer } from "../../../src/system/computer.ts";
import { testDriverContext, type TestContext } from "../../../src/testing/driver-context.ts";
import { optionsOf } from "../../../src/testing/flag-values.ts";
import { HastyClock } from "../../support/hasty-clock.ts";
import type { Hardware } from "./hardware.ts";
import { FakeVcenter } from "./vcenter.ts";
import { password, user } from "./vcsim.ts";

/** Nothing of the environment that the tests run in; and no `qemu-img`, which would look at each image anew. */
export const bareComputer = { ...thisComputer(), env: {}, homeDir: undefined };

const mib = 1024 * 1024;
let image: Promise<string> | undefined;

/** A disk with a boot loader's mark and some content, made once for the process. */
export async function bootableImage(): Promise<string> {
  image ??= (async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "vsphere-image-"));
    const bytes = Buffer.alloc(2 * mib);
    bytes.fill(0x90, 0, 440);
    bytes.write("\x55\xaa", 510, "latin1");
    bytes.fill("some content ", mib, mib + 100_000);
    const file = path.join(folder, "disk.img");
    await writeFile(file, bytes);
    return file;
  })();
  return await image;
}

export const noPrograms: DriverContext["processes"] = {
  run: async () => await Promise.reject(new Error("no programs in these tests")),
  spawn: () => {
    throw new Error("no programs in these tests");
  },
  find: async () => undefined,
};

const reading = /<(?:RetrievePropertiesEx|RetrieveServiceContent|Find\w+|CreateContainerView|DestroyView|Login|Logout) xmlns/u;

/** Most of what is asked of vSphere changes nothing there. */
export function isReading({ method, body }: HttpRequest): boolean {
  return method === "HEAD" || (typeof body === "string" && reading.test(body));
}

export async function vcenterFlags(vcenter: FakeVcenter): Promise<Readonly<Record<string, FlagValue>>> {
  return {
    "vmwarevsphere-vcenter": "127.0.0.1",
    "vmwarevsphere-vcenter-port": vcenter.port,
    "vmwarevsphere-username": user,
    "vmwarevsphere-password": password,
    "vmwarevsphere-tls-thumbprint": vcenter.thumbprint,
    "vmwarevsphere-datastore": "LocalDS_0",
    "vmwarevsphere-pool": "DC0_C0",
    "vmwarevsphere-disk-size": 64,
    "vmwarevsphere-memory-size": 1024,
    "vmwarevsphere-image": await bootableImage(),
  };
}

/** What an ESXi host by itself has. */
export async function hostFlags(vcenter: FakeVcenter): Promise<Readonly<Record<string, FlagValue>>> {
  const { "vmwarevsphere-pool": _pool, "vmwarevsphere-datastore": _store, ...flags } = await vcenterFlags(vcenter);
  return flags;
}

/** All that there is, in one order, by the kinds that the driver tells; templates of images are everybody's. */
export async function resourcesOf(vcenter: FakeVcenter): Promise<readonly Resource[]> {
  const { vms, files } = await vcenter.state();
  const isImage = (name: string): boolean => name.startsWith("docker-machine-image-");
  const all = [
    ...vms.filter((vm) => !isImage(vm.name)).map((vm) => ({ kind: vm.template ? "template" : "instance", id: vm.instanceUuid })),
    ...vms.filter((vm) => isImage(vm.name) && !vm.template).map((vm) => ({ kind: "image", id: vm.instanceUuid })),
    ...files.filter((file) => /seed\.iso$/u.test(file)).map((id) => ({ kind: "seed", id })),
  ];
  return all.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

export interface Scene extends AsyncDisposable {
  readonly vcenter: FakeVcenter;
  readonly test: TestContext;
  readonly context: DriverContext;
  readonly clock: HastyClock;
  readonly signal: AbortSignal;
  configured(flags?: Readonly<Record<string, FlagValue>>): Promise<Driver>;
  /** A driver that took its flags and has checked them. */
  checked(flags?: Readonly<Record<string, FlagValue>>): Promise<Driver>;
  /** A driver whose VM was made. */
  created(flags?: Readonly<Record<string, FlagValue>>): Promise<Driver>;
  /** The driver of a later command. */
  reopened(driver: Driver): Promise<Driver>;
  lines(): readonly string[];
}

export async function openScene(
  options: { readonly model?: "vpx" | "esx"; readonly hardware?: Hardware; readonly context?: Partial<DriverContext> } = {},
): Promise<Scene> {
  const { model = "vpx" } = options;
  const vcenter = await FakeVcenter.start(model, options.hardware);
  const clock = new HastyClock(new Date("2026-10-01T12:00:00Z"));
  const overrides = { clock, computer: bareComputer, processes: noPrograms, ...options.context };
  const test = await testDriverContext("web", overrides);
  const { context } = test;
  const own = model === "vpx" ? await vcenterFlags(vcenter) : await hostFlags(vcenter);
  const signal = AbortSignal.timeout(60_000);
  const configured: Scene["configured"] = async (flags = {}) => {
    const driver = driverModule.open(context, undefined);
    await driver.setConfigFromFlags(optionsOf(driverModule, { ...own, ...flags }));
    return driver;
  };
  const checked: Scene["checked"] = async (flags) => {
    const driver = await configured(flags);
    await driver.preCreateCheck(signal);
    return driver;
  };
  return {
    vcenter,
    test,
    context,
    clock,
    signal,
    configured,
    checked,
    created: async (flags) => {
      const driver = await checked(flags);
      await driver.create(signal);
      return driver;
    },
    reopened: async (driver) => driverModule.open(context, await driver.configText()),
    lines: () => test.events.flatMap((event) => (event.type === "log" && event.level !== "debug" ? [event.text] : [])),
    [Symbol.asyncDispose]: async () => {
      await test[Symbol.asyncDispose]();
      await vcenter[Symbol.asyncDispose]();
      assert.deepEqual(vcenter.violations, [], "what a real vCenter would not take");
    },
  };
}

export async function configOf(driver: Driver): Promise<Readonly<Record<string, unknown>>> {
  return JSON.parse(await driver.configText()) as Record<string, unknown>;
}

/** That it fails in one sentence, without its own end, and with a way out. */
export async function assertRefused(work: Promise<unknown>, code: ErrorCode, sentence: RegExp): Promise<MachineError> {
  const error: unknown = await work.then(
    () => assert.fail("it was not refused"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof MachineError, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, sentence);
  assert.doesNotMatch(error.message, /[\n.]$/u);
  assert.ok((error.hint ?? "") !== "" || code === "provider-invalid", "a way out");
  return error;
}

/** Of a disk, so that tests tell whether it arrived. */
export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
