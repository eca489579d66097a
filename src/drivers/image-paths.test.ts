/** A create that goes on may run in another folder: what the user named by a path is recorded by its whole path. */
import assert from "node:assert/strict";
import * as path from "node:path";
import { test } from "node:test";
import type { FlagValue } from "../driver-kit/create-flag.ts";
import type { DriverContext } from "../driver-kit/driver.ts";
import { thisComputer } from "../system/computer.ts";
import { testDriverContext } from "../testing/driver-context.ts";
import { optionsOf } from "../testing/flag-values.ts";
import { builtinDrivers } from "./registry.ts";

const here = path.resolve("/here");
const vcenter = { "vmwarevsphere-vcenter": "vc.test", "vmwarevsphere-username": "alice" };

async function recorded(context: DriverContext, name: keyof typeof builtinDrivers, flags: Readonly<Record<string, FlagValue>>) {
  const module = await builtinDrivers[name]();
  const driver = module.open(context, undefined);
  await driver.setConfigFromFlags(optionsOf(module, { ...(name === "vmwarevsphere" ? vcenter : {}), ...flags }));
  return JSON.parse(await driver.configText()) as Readonly<Record<string, unknown>>;
}

const hypervisors = ["hyperv", "virtualbox", "vmwarefusion", "vmwarevsphere"] as const;

test("a path is recorded whole; what is none stays as it was given", async () => {
  await using scene = await testDriverContext("web", { computer: { ...thisComputer(), env: {}, cwd: here } });
  const { context } = scene;
  for (const name of [...hypervisors, "qemu"] as const) {
    const image = async (given: string) => (await recorded(context, name, { [`${name}-image`]: given }))["Image"];
    assert.equal(await image("disk.raw"), path.join(here, "disk.raw"), name);
    assert.equal(await image("default"), "default", name);
  }
  for (const name of hypervisors) {
    const iso = async (given: string) =>
      (await recorded(context, name, { [`${name}-boot2docker-url`]: given }))["Boot2DockerURL"];
    assert.equal(await iso("b.iso"), path.join(here, "b.iso"), name);
    assert.equal(await iso("https://cds.test/b.iso"), "https://cds.test/b.iso", name);
  }
});
