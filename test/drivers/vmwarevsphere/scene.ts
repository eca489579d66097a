/** A vCenter and a machine's driver on it, with time that passes by itself. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import type { DriverContext, Resource } from "../../../src/driver-kit/driver.ts";
import { driverModule } from "../../../src/drivers/vmwarevsphere/index.ts";
import type { HttpRequest } from "../../../src/driver-kit/http-transport.ts";
import { HastyClock } from "../../support/hasty-clock.ts";
import { bareComputer, openDriverScene, type DriverScene, type Flags } from "../driver-scene.ts";
import type { Hardware } from "./hardware.ts";
import { FakeVcenter } from "./vcenter.ts";
import { password, user } from "./vcsim.ts";

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

/** No `qemu-img` either, which would look at each image anew. */
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

export async function vcenterFlags(vcenter: FakeVcenter): Promise<Flags> {
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
export async function hostFlags(vcenter: FakeVcenter): Promise<Flags> {
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

export interface Scene extends DriverScene {
  readonly vcenter: FakeVcenter;
  readonly clock: HastyClock;
}

export async function openScene(
  options: { readonly model?: "vpx" | "esx"; readonly hardware?: Hardware; readonly context?: Partial<DriverContext> } = {},
): Promise<Scene> {
  const { model = "vpx" } = options;
  const vcenter = await FakeVcenter.start(model, options.hardware);
  const clock = new HastyClock(new Date("2026-10-01T12:00:00Z"));
  const own = model === "vpx" ? await vcenterFlags(vcenter) : await hostFlags(vcenter);
  const overrides = { clock, computer: bareComputer, processes: noPrograms, ...options.context };
  const scene = await openDriverScene(driverModule, (flags) => ({ ...own, ...flags }), overrides);
  return {
    ...scene,
    vcenter,
    clock,
    lines: () => scene.test.events.flatMap((event) => (event.type === "log" && event.level !== "debug" ? [event.text] : [])),
    [Symbol.asyncDispose]: async () => {
      await scene[Symbol.asyncDispose]();
      await vcenter[Symbol.asyncDispose]();
      assert.deepEqual(vcenter.violations, [], "what a real vCenter would not take");
    },
  };
}

/** Of a disk, so that tests tell whether it arrived. */
export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
