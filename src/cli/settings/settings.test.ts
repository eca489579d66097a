import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { describe, it } from "node:test";
import { isMachineError, type MachineError } from "../../errors/machine-error.ts";
import { temporaryFolder } from "../../system/testing/folder.ts";
import type { Invocation } from "../command.ts";
import { FakeRun } from "../testing/fake-main.ts";
import { checkSettings } from "./check-settings.ts";
import { settingsFileOf } from "./settings-place.ts";
import { parseSettings } from "./settings.ts";

const drivers = {
  qemu: [{ kind: "int", name: "qemu-memory", usage: "", value: 2048, unit: "MB", envVar: "QEMU_MEMORY" }],
  docker: [
    { kind: "int", name: "docker-memory", usage: "", unit: "MB" },
    { kind: "string", name: "docker-cpus", usage: "" },
  ],
  cloud: [
    { kind: "string", name: "cloud-token", usage: "", secret: true },
    { kind: "bool", name: "cloud-ipv6", usage: "" },
  ],
} as const;

const text = `
driver: docker
create:
  engine-label: [team=ops]
  docker-memory: 2GB
  qemu-memory: 4096
profiles:
  big:
    create: {docker-memory: 8GB, docker-cpus: "1.50"}
  local:
    driver: qemu
`;

/** What `create` is given with these settings. */
async function created(settings: string, words: string, env: Readonly<Record<string, string>> = {}) {
  const folder = temporaryFolder();
  mkdirSync(path.join(folder, "docker-machine"));
  writeFileSync(path.join(folder, "docker-machine", "config.yml"), settings);
  let options: Invocation["options"] | undefined;
  const code = { create: async (invocation: Invocation) => void (options = invocation.options) };
  const result = await new FakeRun({ drivers, code, env: { XDG_CONFIG_HOME: folder, ...env } }).main(...words.split(" "));
  return { ...result, options };
}

async function failure(settings: string): Promise<MachineError> {
  const sources = {
    driverFlags: async (name: string) => drivers[name as keyof typeof drivers],
    ownerOf: async (flag: string) => Object.entries(drivers).find(([, flags]) => flags.some(({ name }) => name === flag))?.[0],
  };
  return await parseSettings(settings, "c.yml")
    .then(async (parsed) => await checkSettings(parsed, "c.yml", sources))
    .then(
      () => assert.fail(`accepted: ${settings}`),
      (error: unknown) => (isMachineError(error, "settings-invalid") ? error : assert.fail(String(error))),
    );
}

describe("settings", () => {
  it("give a create its driver, and values for what nobody gives", async () => {
    const { options, stderr } = await created(text, "create web");
    assert.ok(options, stderr);
    assert.equal(options.string("driver"), "docker");
    assert.deepEqual(options.strings("engine-label"), ["team=ops"]);
    assert.equal(options.int("docker-memory"), 2048);
    assert.ok(options.isSet("docker-memory"));
    assert.equal(options.string("docker-cpus"), "");
  });

  it("weigh less than the environment, that less than a flag, and a profile more than what is for all", async () => {
    const memory = async (words: string, env: Readonly<Record<string, string>> = {}) =>
      (await created(text, `create ${words} web`, env)).options?.int(words.includes("qemu") ? "qemu-memory" : "docker-memory");
    assert.equal(await memory("--profile big"), 8192);
    assert.equal(await memory("--profile=big --docker-memory 512"), 512);
    assert.equal(await memory("", { MACHINE_PROFILE: "big" }), 8192);
    assert.equal(await memory("-d qemu"), 4096);
    assert.equal(await memory("-d qemu", { QEMU_MEMORY: "1g" }), 1024);
    assert.equal(await memory("-d qemu --qemu-memory 3GB", { QEMU_MEMORY: "1g" }), 3072);
    assert.equal((await created(text, "create --profile local web")).options?.string("driver"), "qemu");
    assert.deepEqual((await created(text, "create --engine-label a=b web")).options?.strings("engine-label"), ["a=b"]);
  });

  it("are not read with 0.16.2's texts", async () => {
    const compat = { MACHINE_COMPAT: "0.16", MACHINE_DRIVER: "docker" };
    const { options } = await created(text, "create web", compat);
    assert.equal(options?.int("docker-memory"), 0);
    assert.match((await created(text, "create --profile big web", compat)).stderr, /flag provided but not defined: -profile/u);
  });

  it("end a create with one sentence where they are wrong", async () => {
    const { code, stderr, options } = await created("create:\n  docker-memroy: 1\ndriver: docker\n", "create web");
    assert.equal(options, undefined);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /config\.yml:2:3: no driver here has a create flag --docker-memroy\nHint: Did you mean docker-memory\?\n$/u,
    );
    assert.match(
      (await created(text, "create --profile bgi web")).stderr,
      /has no profile "bgi"\nHint: Did you mean "big"\?\n$/u,
    );
    assert.match(
      (await created("driver: docker\n", "create --profile big web")).stderr,
      /has no profile "big"\nHint: It has no profiles\. .*docker-machine settings edit\n$/u,
    );
  });

  it("are refused with line, column and a way out", async () => {
    for (const [settings, message, hint] of [
      ["drivr: docker", /^c\.yml:1:1: the file has no key "drivr"$/u, /Did you mean "driver"/u],
      ["profiles: {'': {driver: qemu}}", /^c\.yml:1:12: a profile has no name$/u, /^$/u],
      ["create: 5", /^c\.yml:1:9: create is no mapping/u, /^$/u],
      ["a: [", /^c\.yml:1:\d+: this is no YAML: /u, /^$/u],
      ["driver: docker\n---\ndriver: qemu", /^c\.yml:2:1: a second document begins here$/u, /^$/u],
      ["driver: docker\ncreate: {docker-cpus: [a, b]}", /--docker-cpus is a text$/u, /^$/u],
      ["a: 1\na: 2", /^c\.yml:2:1: this is no YAML: /u, /^$/u],
      ["driver: 5", /^c\.yml:1:9: the value of driver is no text$/u, /quotes/u],
      ["profiles: {x: {creat: {}}}", /the profile x has no key "creat"$/u, /Did you mean "create"/u],
      [
        "driver: docker\ncreate: {docker-cpus: 1.50}",
        /^c\.yml:2:10: --docker-cpus is a text$/u,
        /the number 1\.5\. Write it in quotes: "1\.50"/u,
      ],
      ["driver: docker\ncreate: {docker-cpus: 2}", /--docker-cpus is a text$/u, /"2"/u],
      ["driver: docker\ncreate: {docker-memory: much}", /^c\.yml:2:10: --docker-memory is a whole number$/u, /^$/u],
      ["driver: cloud\ncreate: {cloud-ipv6: 1}", /--cloud-ipv6 is true or false$/u, /^$/u],
      ["driver: cloud\ncreate: {cloud-token: hunter2}", /--cloud-token is a secret, and this file is no place/u, /env:NAME/u],
      ["create: {engine-label: [1]}", /--engine-label is a list of texts$/u, /quotes/u],
      ["create: {engine-source: dokcer}", /^c\.yml:1:10: invalid value "dokcer"/u, /Did you mean "docker"/u],
      ["create: {driver: docker}", /--driver is given on the command line, not here$/u, /beside create: driver: NAME/u],
      ["create: {d: docker}", /no driver here has a create flag --d$/u, /beside create: driver: NAME/u],
      ["driver: docker\ncreate: {memory: 4}", /no driver here has a create flag --memory$/u, /Did you mean docker-memory\?/u],
      ["profiles: {x: {memory: 4}}", /the profile x has no key "memory"$/u, /below create/u],
      [
        "profiles: {x: {driver: qemu, create: {docker-memory: 5}}}",
        /--docker-memory is of the driver docker, and the profile is for qemu$/u,
        /^$/u,
      ],
    ] as const) {
      const error = await failure(settings);
      assert.match(error.message, message, settings);
      assert.match(error.hint ?? "", hint, settings);
      assert.equal(error.message.includes("hunter2"), false);
    }
  });

  it("may have profiles for any driver, with flags of several", async () => {
    const settings = await parseSettings(
      "driver: docker\nprofiles: {big: {create: {qemu-memory: 8GB, docker-memory: 8GB}}}",
      "c.yml",
    );
    await checkSettings(settings, "c.yml", {
      driverFlags: async (name) => drivers[name as keyof typeof drivers],
      ownerOf: async (flag) => flag.split("-")[0],
    });
  });

  it("take a secret by reference", async () => {
    const { options } = await created("driver: cloud\ncreate: {cloud-token: env:TOKEN}\n", "create web");
    assert.equal(options?.string("cloud-token"), "env:TOKEN");
  });

  it("may be empty", async () => {
    for (const settings of ["", "\n# nothing\n", "create:\n", "profiles:\n  x:\n"])
      assert.equal((await created(settings, "create -d docker web")).code, 0, settings);
  });

  it("are where a system has its settings", () => {
    const of = (os: "linux" | "windows", env: Record<string, string>, homeDir?: string) => settingsFileOf({ os, env, homeDir });
    assert.equal(of("linux", {}, "/home/u"), "/home/u/.config/docker-machine/config.yml");
    assert.equal(of("linux", { XDG_CONFIG_HOME: "/x" }, "/home/u"), "/x/docker-machine/config.yml");
    assert.equal(of("linux", { XDG_CONFIG_HOME: "relative" }, "/home/u"), "/home/u/.config/docker-machine/config.yml");
    assert.equal(of("windows", { APPDATA: "/roaming" }, "/u"), "/roaming/docker-machine/config.yml");
    assert.equal(of("linux", {}), undefined);
  });
});
