import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, describe, test } from "node:test";
import type { Driver, DriverContext, EngineTemplate, PreparedEngine } from "../../src/driver-kit/driver.ts";
import { defaultValue, driverOptions, type FlagValue } from "../../src/driver-kit/flags.ts";
import { isMachineError } from "../../src/errors/machine-error.ts";
import { systemClock, type Clock } from "../../src/system/clock.ts";
import { currentPlatform } from "../../src/system/host-platform.ts";
import { SystemProcessRunner } from "../../src/system/process.ts";
import { describeDriverContract } from "../../src/testing/driver-contract.ts";
import { testDriverContext, type TestContext } from "../../src/testing/driver-context.ts";
import { buildDigest } from "../../src/drivers/qemu/build-image.ts";
import { guestArch, type ImageFacts } from "../../src/drivers/qemu/image.ts";
import { driverModule } from "../../src/drivers/qemu/index.ts";
import { installFakeQemu, scriptsRun, type FakeBehaviour } from "./fake-qemu.ts";

const scratch = mkdtempSync(path.join(tmpdir(), "docker-machine-qemu-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** Bounds pass twenty times as fast, so that running into one takes no time. */
const hurried: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now() * 20,
  sleep: async (ms, ending) => await systemClock.sleep(ms / 20, ending),
};

let counter = 0;
const signal = (): AbortSignal => AbortSignal.timeout(20_000);

interface FakeWorld {
  readonly folder: string;
  readonly overrides: Partial<DriverContext>;
}

/** A computer with a fake QEMU and a built image in its cache. */
async function fakeWorld(behaviour: FakeBehaviour = {}): Promise<FakeWorld> {
  const folder = path.join(scratch, String((counter += 1)));
  const bin = installFakeQemu(folder, behaviour);
  const real = currentPlatform();
  const platform = { ...real, os: "linux" as const, env: { ...real.env, PATH: `${bin}:${real.env["PATH"]}` } };
  const cacheDir = path.join(folder, "cache");
  await writeImage(cacheDir);
  await writeFile(path.join(cacheDir, "qemu", "accelerators.json"), "{}");
  return { folder, overrides: { platform, processes: new SystemProcessRunner(platform), cacheDir, clock: hurried } };
}

async function writeImage(cacheDir: string): Promise<void> {
  const arch = guestArch(process.arch);
  const digest = buildDigest({ suite: "trixie", arch, mirror: "" });
  const image = path.join(cacheDir, "qemu", "images", digest);
  await mkdir(image, { recursive: true });
  for (const file of ["disk", "vmlinuz", "initrd"]) await writeFile(path.join(image, file), file);
  const facts: ImageFacts = { digest, title: "an image", arch, format: "raw", virtualSizeBytes: 1024, boot: "kernel", identity: "credentials" };
  await writeFile(path.join(image, "image.json"), JSON.stringify(facts));
}

function flagsOf(flags: Readonly<Record<string, FlagValue>> = {}): ReturnType<typeof driverOptions> {
  const given = { "qemu-accelerator": "tcg", "qemu-image": "build", ...flags };
  const defaults = Object.fromEntries(driverModule.flags.map((flag) => [flag.name, defaultValue(flag)]));
  return driverOptions({ ...defaults, ...given }, new Set(Object.keys(given)));
}

interface Made extends AsyncDisposable {
  readonly driver: Driver;
  readonly test: TestContext;
  readonly world: FakeWorld;
  config(): Promise<Record<string, unknown>>;
  file(name: string): string;
}

async function configured(flags: Readonly<Record<string, FlagValue>>, behaviour: FakeBehaviour = {}): Promise<Made> {
  const world = await fakeWorld(behaviour);
  const testContext = await testDriverContext("web", world.overrides);
  const driver = driverModule.open(testContext.context, undefined);
  await driver.setConfigFromFlags(flagsOf(flags));
  return {
    driver,
    test: testContext,
    world,
    config: async () => JSON.parse(await driver.configText()) as Record<string, unknown>,
    file: (name) => path.join(testContext.context.machineDir, name),
    [Symbol.asyncDispose]: async () => {
      await driver.remove(signal()).catch(() => {});
      await testContext[Symbol.asyncDispose]();
    },
  };
}

async function created(flags: Readonly<Record<string, FlagValue>> = { "qemu-save-state": "off" }, behaviour: FakeBehaviour = {}): Promise<Made> {
  const made = await configured(flags, behaviour);
  await made.driver.create(signal());
  return made;
}

describeDriverContract("qemu", async () => {
  const { overrides } = await fakeWorld();
  return {
    module: driverModule,
    flags: { "qemu-accelerator": "tcg", "qemu-image": "build", "qemu-save-state": "off", "qemu-cpu-count": 1, "qemu-memory": 1024, "qemu-disk-size": 8000, "qemu-ssh-user": "root" },
    refusedFlags: { "qemu-memory": 1 },
    context: overrides,
    lifecycle: { timeoutMs: 20_000 },
  };
});

describe("flags", () => {
  const refused: readonly (readonly [string, Record<string, FlagValue>, RegExp])[] = [
    ["too little memory", { "qemu-memory": 64 }, /--qemu-memory 64 is too small/u],
    ["an unknown accelerator", { "qemu-accelerator": "xen" }, /--qemu-accelerator "xen" is not one of: auto, kvm, hvf, whpx, tcg/u],
    ["a port that is none", { "qemu-open-port": ["70000"] }, /--qemu-open-port "70000"/u],
    ["a URL without a checksum", { "qemu-image": "https://images.invalid/a.qcow2" }, /needs its checksum/u],
    ["a checksum that is none", { "qemu-image": "https://images.invalid/a.qcow2", "qemu-image-checksum": "md5:1" }, /is no checksum/u],
    ["an unknown suite", { "qemu-image": "build:woody" }, /images are built from trixie/u],
    ["a user that useradd would refuse", { "qemu-ssh-user": "a b" }, /is not a user name/u],
    ["a relative target of a shared folder", { "qemu-share-folder": ["/srv:data"] }, /is not FOLDER\[:PATH\]/u],
    ["a saved state with a shared folder", { "qemu-save-state": "on", "qemu-share-folder": ["/srv:/data"] }, /exclude each other/u],
  ];
  for (const [what, flags, message] of refused) {
    test(`refuse ${what}`, async () => {
      await assert.rejects(configured(flags), (error) => isMachineError(error, "driver-options") && message.test(error.message));
    });
  }
});

describe("create", () => {
  test("records id and ports before anything is launched, and opens the ports before the guest runs", async () => {
    await using made = await configured({ "qemu-save-state": "off" });
    const configs: Record<string, unknown>[] = [];
    made.test.onSave(async () => {
      configs.push({ ...(await made.config()), launched: existsSync(made.file("qemu.pid")) });
    });
    await made.driver.create(signal());
    assert.equal(configs[0]?.["launched"], false);
    assert.match(String(configs[0]?.["InstanceId"]), /^[0-9a-f-]{36}$/u);
    assert.notEqual(configs[0]?.["SSHPort"], 0);
    assert.equal(await made.driver.getUrl(), `tcp://127.0.0.1:${configs[0]?.["EnginePort"]}`);
    assert.equal(await made.driver.getState(signal()), "Running");
  });

  test("keeps private keys out of every argument and of QEMU's environment", async () => {
    await using made = await created();
    const pid = readFileSync(made.file("qemu.pid"), "utf8").trim();
    const seen = readFileSync(`/proc/${pid}/cmdline`, "utf8") + readFileSync(`/proc/${pid}/environ`, "utf8");
    const credential = readFileSync(made.file("credential-0"), "utf8");
    const files = Buffer.from(credential.replace(/^.*?=/u, ""), "base64").toString("utf8");
    const hostKey = / 0600 root root - (\S+)/u.exec(files)?.[1] ?? "";
    assert.match(Buffer.from(hostKey, "base64").toString("utf8"), /BEGIN OPENSSH PRIVATE KEY/u);
    assert.equal(seen.includes(hostKey), false);
    assert.equal(seen.includes("PRIVATE KEY"), false);
    assert.equal(statSync(made.file("credential-0")).mode & 0o777, 0o600);
    assert.deepEqual(seen.match(/[A-Z_]*(?:TOKEN|SECRET|PASSWORD)[A-Z_]*=/gu) ?? [], []);
  });

  test("presents the host key that it injected", async () => {
    await using made = await created();
    const keys = (await made.driver.hostKeys?.()) ?? [];
    assert.match(keys[0] ?? "", /^ssh-ed25519 [A-Za-z0-9+/=]+$/u);
    const credential = Buffer.from(readFileSync(made.file("credential-0"), "utf8").replace(/^.*?=/u, ""), "base64").toString("utf8");
    const publicFile = /ssh_host_ed25519_key\.pub 0644 root root - (\S+)/u.exec(credential)?.[1] ?? "";
    assert.ok(Buffer.from(publicFile, "base64").toString("utf8").startsWith(keys[0] ?? "?"));
  });

  test("a repeated create takes over the running machine", async () => {
    await using made = await created();
    const pid = readFileSync(made.file("qemu.pid"), "utf8");
    await driverModule.open(made.test.context, await made.driver.configText()).create(signal());
    assert.equal(readFileSync(made.file("qemu.pid"), "utf8"), pid);
  });

  test("an attempt that was cut off is ended and begun anew", async () => {
    await using made = await created();
    const pid = Number(readFileSync(made.file("qemu.pid"), "utf8"));
    const cutOff = JSON.stringify({ ...(await made.config()), Created: false });
    rmSync(made.file("qemu.pid"));
    const again = driverModule.open(made.test.context, cutOff);
    await again.create(signal());
    assert.notEqual(Number(readFileSync(made.file("qemu.pid"), "utf8")), pid);
    assert.equal(isRunning(pid), false);
    await again.remove(signal());
  });

  test("QEMU's refusal is told in one sentence and leaves no process", async () => {
    await using made = await configured({ "qemu-save-state": "off" }, { refuse: "cannot set up guest memory 'pc.ram': Cannot allocate memory" });
    await assert.rejects(made.driver.create(signal()), (error) => isMachineError(error, "driver-failed") && /not enough memory/u.test(error.message) && error.hint !== undefined);
    assert.equal(existsSync(made.file("qemu.pid")), false);
    assert.equal(await made.driver.getState(signal()), "Stopped");
  });

  test("a disk smaller than the image is refused", async () => {
    await using made = await configured({ "qemu-save-state": "off" });
    const facts = path.join(made.test.context.cacheDir, "qemu", "images", readdirSync(path.join(made.test.context.cacheDir, "qemu", "images"))[0] ?? "", "image.json");
    writeFileSync(facts, readFileSync(facts, "utf8").replace('"virtualSizeBytes":1024', '"virtualSizeBytes":900000000000'));
    await assert.rejects(made.driver.create(signal()), (error) => isMachineError(error, "driver-options") && /smaller than the image/u.test(error.message));
  });

  test("checks before creating anything: a taken port, a missing image, a missing folder", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    for (const [flags, code] of [
      [{ "qemu-open-port": [String(port)] }, "port-taken"],
      [{ "qemu-image": "/nowhere/disk.qcow2" }, "image-unusable"],
      [{ "qemu-share-folder": ["/nowhere"] }, "driver-options"],
    ] as const) {
      await using made = await configured(flags);
      await assert.rejects(made.driver.preCreateCheck(signal()), (error) => isMachineError(error, code));
    }
    server.close();
  });

  test("without QEMU the error says what to install", async () => {
    await using made = await configured({});
    rmSync(path.join(made.world.folder, "bin"), { recursive: true });
    const platform = { ...made.test.context.platform, env: { PATH: "/nowhere" } };
    const driver = driverModule.open({ ...made.test.context, platform, processes: new SystemProcessRunner(platform) }, await made.driver.configText());
    await assert.rejects(driver.preCreateCheck(signal()), (error) => isMachineError(error, "program-missing") && /apt-get install .*qemu/u.test(error.hint ?? ""));
  });
});

describe("ports", () => {
  test("one that was taken while the machine was stopped is replaced, recorded and reported", async () => {
    await using made = await created();
    await made.driver.stop(signal());
    const port = await made.driver.getSshPort();
    const thief = createServer().listen(port, "127.0.0.1");
    await new Promise((resolve) => thief.once("listening", resolve));
    const saves = made.test.saves();
    await made.driver.start(signal());
    assert.notEqual(await made.driver.getSshPort(), port);
    assert.ok(made.test.saves() > saves);
    assert.ok(made.test.events.some((event) => event.type === "log" && event.level === "warn" && event.text.includes(`Port ${port} of 127.0.0.1 is in use`)));
    thief.close();
  });

  test("a port that the user chose is not replaced: the start fails and leaves nothing running", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => holder.once("listening", resolve));
    const { port } = holder.address() as { port: number };
    await using made = await configured({ "qemu-save-state": "off", "qemu-open-port": [`${port}:80`] });
    await assert.rejects(made.driver.create(signal()), (error) => isMachineError(error, "port-taken"));
    assert.equal(await made.driver.getState(signal()), "Stopped");
    holder.close();
  });
});

describe("a machine that exists", () => {
  test("is found by its pid file only while the process is its own", async () => {
    await using made = await created();
    await made.driver.kill(signal());
    writeFileSync(made.file("qemu.pid"), `${process.pid}\n`);
    assert.equal(await made.driver.getState(signal()), "Stopped");
    await made.driver.remove(signal());
    assert.ok(isRunning(process.pid));
  });

  test("killed from outside is stopped, and starts again", async () => {
    await using made = await created();
    process.kill(Number(readFileSync(made.file("qemu.pid"), "utf8")), "SIGKILL");
    await untilState(made.driver, "Stopped");
    await made.driver.start(signal());
    assert.equal(await made.driver.getState(signal()), "Running");
  });

  test("whose disk was deleted says so, and is removed all the same", async () => {
    await using made = await created();
    await made.driver.stop(signal());
    rmSync(made.file("disk.qcow2"));
    assert.equal(await made.driver.getState(signal()), "Error");
    await assert.rejects(made.driver.start(signal()), (error) => isMachineError(error, "driver-failed") && /disk of "web" is gone/u.test(error.message));
    await made.driver.remove(signal());
  });

  test("lives on when the cache is emptied", async () => {
    await using made = await created();
    await made.driver.stop(signal());
    rmSync(made.test.context.cacheDir, { recursive: true });
    assert.equal(readFileSync(made.file("base.img"), "utf8"), "disk");
    await made.driver.start(signal());
    assert.equal(await made.driver.getState(signal()), "Running");
  });

  test("removal leaves no file but the key pair, whatever the state", async () => {
    await using made = await created();
    await made.driver.remove(signal());
    assert.deepEqual(readdirSync(made.test.context.machineDir).filter((name) => !name.startsWith("id_")), []);
  });

  test("a monitor that hangs does not keep removal from cleaning up", async () => {
    await using made = await configured({ "qemu-save-state": "off" });
    await made.driver.create(signal());
    const pid = Number(readFileSync(made.file("qemu.pid"), "utf8"));
    process.kill(pid, "SIGSTOP");
    await made.driver.remove(signal());
    assert.equal(isRunning(pid), false);
  });
});

describe("saved state", () => {
  test("the first machine makes one, the second uses it, and each gets an identity of its own", async () => {
    await using first = await created({ "qemu-save-state": "on" });
    assert.match(scriptsRun(first.world.folder)[0] ?? "", /is-system-running --wait/u);
    await using secondContext = await testDriverContext("db", first.world.overrides);
    const second = driverModule.open(secondContext.context, undefined);
    await second.setConfigFromFlags(flagsOf({ "qemu-save-state": "on" }));
    await second.create(signal());
    const scripts = scriptsRun(first.world.folder);
    assert.equal(scripts.filter((script) => script.includes("is-system-running")).length, 1);
    const [one = "", two = "", ...others] = scripts.filter((script) => script.includes("BEGIN OPENSSH PRIVATE KEY"));
    assert.deepEqual(others, []);
    for (const own of [/echo (\S+) > \/proc\/sys\/kernel\/hostname/u, /'([0-9a-f]{32})\n' > \/etc\/machine-id/u, /printf '%s' '(ssh-ed25519 \S+) /u]) {
      assert.notEqual(own.exec(two)?.[1], undefined);
      assert.notEqual(own.exec(two)?.[1], own.exec(one)?.[1]);
    }
    await second.remove(signal());
  });

  test("carries an engine that was set up once, for machines that want such a one", async () => {
    const world = await fakeWorld();
    const prepared: string[] = [];
    const templateOf = (key: string): EngineTemplate => ({
      key,
      prepare: async (executor, address) => {
        prepared.push(`${key} ${address} ${(await executor.run("set up the engine")).status}`);
        return { certificate: `certificate ${key}`, key: "secret" };
      },
    });
    const createWith = async (key: string): Promise<PreparedEngine | undefined> => {
      await using given = await testDriverContext("web", { ...world.overrides, engineTemplate: async () => templateOf(key) });
      const driver = driverModule.open(given.context, undefined);
      await driver.setConfigFromFlags(flagsOf({ "qemu-save-state": "on" }));
      await driver.create(signal());
      await driver.remove(signal());
      return driver.preparedEngine?.();
    };
    assert.deepEqual(await createWith("a"), { templateKey: "a", certificate: "certificate a", key: "secret" });
    assert.deepEqual(await createWith("a"), { templateKey: "a", certificate: "certificate a", key: "secret" });
    assert.equal((await createWith("b"))?.templateKey, "b");
    assert.deepEqual(prepared, ["a 127.0.0.1 0", "b 127.0.0.1 0"]);
    assert.ok(scriptsRun(world.folder).includes("set up the engine"));
  });

  test("is keyed by what makes guests differ", async () => {
    await using first = await created({ "qemu-save-state": "on" });
    await using secondContext = await testDriverContext("db", first.world.overrides);
    const second = driverModule.open(secondContext.context, undefined);
    await second.setConfigFromFlags(flagsOf({ "qemu-save-state": "on", "qemu-memory": 1024 }));
    await second.create(signal());
    const states = readdirSync(path.join(first.test.context.cacheDir, "qemu", "states")).filter((name) => /^[0-9a-f]+$/u.test(name));
    assert.equal(states.length, 2);
    await second.remove(signal());
  });

  test("one that cannot be restored is removed, and the machine boots", async () => {
    await using made = await created({ "qemu-save-state": "auto" }, { cannotRestore: true });
    assert.equal(await made.driver.getState(signal()), "Running");
    assert.deepEqual(readdirSync(path.join(made.test.context.cacheDir, "qemu", "states")).filter((name) => /^[0-9a-f]+$/u.test(name)), []);
    assert.equal(existsSync(made.file("memory.state")), false);
  });

  test("one that is not finished for Ctrl-C leaves no guest and no half state", async () => {
    await using made = await configured({ "qemu-save-state": "auto" }, { mute: true });
    const abort = new AbortController();
    const creating = made.driver.create(abort.signal);
    const states = path.join(made.test.context.cacheDir, "qemu", "states");
    const halves = (): string[] => (existsSync(states) ? readdirSync(states).filter((name) => name.includes(".tmp-")) : []);
    const pidFile = (): string => path.join(states, halves()[0] ?? "", "qemu.pid");
    while (!existsSync(pidFile())) await Promise.race([creating, systemClock.sleep(10)]);
    const pid = Number(readFileSync(pidFile(), "utf8"));
    abort.abort(new Error("interrupted"));
    await assert.rejects(creating, /interrupted/u);
    assert.deepEqual([isRunning(pid), halves(), readdirSync(states).filter((name) => name.endsWith(".failed"))], [false, [], []]);
  });

  test("one that cannot be made is not tried again, and the machine boots", async () => {
    await using first = await created({ "qemu-save-state": "auto" }, { cannotSave: true });
    assert.equal(await first.driver.getState(signal()), "Running");
    const warnings = (given: TestContext): number => given.events.filter((event) => event.type === "log" && event.level === "warn" && event.text.startsWith("No state of the image")).length;
    assert.equal(warnings(first.test), 1);
    await using secondContext = await testDriverContext("db", first.world.overrides);
    const second = driverModule.open(secondContext.context, undefined);
    await second.setConfigFromFlags(flagsOf());
    await second.create(signal());
    assert.equal(warnings(secondContext), 0);
    await second.remove(signal());
  });

  test("holds no key, no seed and no socket", async () => {
    await using made = await created({ "qemu-save-state": "on" });
    const states = path.join(made.test.context.cacheDir, "qemu", "states");
    const state = readdirSync(states).find((name) => /^[0-9a-f]+$/u.test(name)) ?? "";
    assert.deepEqual(readdirSync(path.join(states, state)).sort(), ["disk.qcow2", "id", "memory.state", "state.json"]);
  });
});

function isRunning(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8") !== "";
  } catch {
    return false;
  }
}

async function untilState(driver: Driver, wanted: string): Promise<void> {
  const bound = signal();
  while ((await driver.getState(bound)) !== wanted) bound.throwIfAborted();
}
