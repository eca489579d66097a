/** A machine's life at the stand-in: what VMware is told, and what stays in the machine's folder. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { describe, test } from "node:test";
import { isoImage } from "../../../src/driver-kit/guest/iso.ts";
import { driverModule } from "../../../src/drivers/vmwarefusion/index.ts";
import { parseVmx } from "../../../src/drivers/vmwarefusion/vmx.ts";
import type { ProcessRunner } from "../../../src/system/process.ts";
import { untilUp } from "../../../src/testing/coming-up.ts";
import { configOf, hurried } from "../driver-scene.ts";
import { newProgramWorld, openScene, type Scene } from "./scene.ts";

function filesOf({ context }: Scene): readonly string[] {
  return readdirSync(context.machineDir).toSorted();
}

function commandsOf({ vmware }: Scene): readonly string[] {
  return vmware.calls.filter((call) => call.startsWith("vmrun")).map((call) => call.split(" ").slice(3).join(" "));
}

test("a machine is made with all that was wished, with programs on PATH", async () => {
  await using scene = await openScene({}, {}, newProgramWorld);
  const { vmware, signal, vmx } = scene;
  const driver = await scene.created({
    "vmwarefusion-memory-size": 2_048,
    "vmwarefusion-cpu-count": -1,
    "vmwarefusion-disk-size": 30_000,
    "vmwarefusion-network-type": "bridged",
    "vmwarefusion-ssh-user": "ops",
  });
  const text = parseVmx(readFileSync(vmx, "utf8"));
  assert.deepEqual(
    ["memsize", "numvcpus", "ethernet0.connectiontype", "displayname", "guestos"].map((key) => text.get(key)),
    ["2048", "6", "bridged", "web", "debian12-64"],
  );
  assert.equal(text.get("guestinfo.docker-machine.create-id"), "test-web");
  assert.match(text.get("ethernet0.address") ?? "", /^00:50:56:[0-3][0-9a-f]:/u);
  const { metaData, userData } = scene.running()?.seed ?? assert.fail("no seed");
  assert.equal((JSON.parse(metaData) as Record<string, string>)["local-hostname"], "web");
  const { users, ssh_keys: hostKeys } = JSON.parse(userData.split("\n").slice(1).join("\n")) as {
    readonly users: readonly { readonly name: string }[];
    readonly ssh_keys: Readonly<Record<string, string>>;
  };
  assert.deepEqual(
    users.map(({ name }) => name),
    ["ops"],
  );
  const known = await driver.hostKeys?.();
  assert.ok(Array.isArray(known) && hostKeys["ed25519_public"]?.startsWith(String(known[0])));
  assert.equal(driver.hostKeysExposed, false);
  assert.deepEqual(filesOf(scene), [
    "console.log",
    "id_ed25519",
    "id_ed25519.pub",
    "seed.iso",
    "vmware.log",
    "web.vmdk",
    "web.vmx",
  ]);
  assert.equal(statSync(vmx).mode & 0o777, 0o600);
  await untilUp(driver, { ms: 30_000, clock: scene.context.clock, signal });
  assert.equal(await driver.getIp(), vmware.addressOf(vmx));
  assert.equal(await driver.getUrl(), `tcp://${await driver.getIp()}:2376`);
  assert.deepEqual([await driver.getSshUsername(), await driver.getSshPort()], ["ops", 22]);
  await driver.remove(signal);
  assert.deepEqual(vmware.machines, []);
  assert.deepEqual(filesOf(scene), ["id_ed25519", "id_ed25519.pub"]);
  assert.ok(vmware.calls.every((call) => !/tcuser|-gu|-gp|deleteVM|-wait/u.test(call)));
});

test(
  "the disk that VMware is given is one that others read",
  { skip: spawnSync("qemu-img", ["--version"]).status !== 0 },
  async () => {
    await using scene = await openScene();
    const { processes, storePath } = scene.context;
    const copy = path.join(storePath, "copy.vmdk");
    const looking: ProcessRunner = {
      ...processes,
      run: async (program, args, options) => {
        if (program.endsWith("vdiskmanager")) copyFileSync(args[1] ?? "", copy);
        return await processes.run(program, args, options);
      },
    };
    const driver = driverModule.open({ ...scene.context, processes: looking }, await (await scene.checked()).configText());
    await driver.create(scene.signal);
    assert.match(execFileSync("qemu-img", ["check", "-f", "vmdk", copy], { encoding: "utf8" }), /No errors were found/u);
    const info = JSON.parse(execFileSync("qemu-img", ["info", "--output=json", copy], { encoding: "utf8" })) as Record<
      string,
      unknown
    >;
    assert.equal(info["virtual-size"], 20_000 * 1024 * 1024);
  },
);

test("Fusion is told that it is Fusion, shares the home directories, and asks nothing in a window", async () => {
  await using scene = await openScene({ product: "fusion" });
  const driver = await scene.created();
  const text = parseVmx(readFileSync(scene.vmx, "utf8"));
  assert.deepEqual([text.get("sharedfolder0.hostpath"), text.get("sharedfolder0.guestname")], ["/Users", "Users"]);
  assert.ok(scene.vmware.calls.filter((call) => call.startsWith("vmrun")).every((call) => call.startsWith("vmrun -T fusion ")));
  assert.match(readFileSync(path.join(scene.context.machineDir, "web.plist"), "utf8"), /disallowUpgrade/u);
  assert.match(scene.running()?.seed?.userData ?? "", /"\.host:\/Users",\s+"\/Users",\s+"fuse\.vmhgfs-fuse"/u);
  await driver.remove(scene.signal);
  assert.deepEqual(filesOf(scene), ["id_ed25519", "id_ed25519.pub"]);
  await using alone = await openScene({ product: "fusion" });
  await alone.created({ "vmwarefusion-no-share": true });
  assert.equal(parseVmx(readFileSync(alone.vmx, "utf8")).get("isolation.tools.hgfs.disable"), "TRUE");
});

test("on Apple's processors the machine is one of theirs; older products know no Debian", async () => {
  await using apple = await openScene({ product: "fusion", arch: "arm64" });
  await apple.created();
  assert.equal(parseVmx(readFileSync(apple.vmx, "utf8")).get("nvme0:0.filename"), "web.vmdk");
  await using old = await openScene({ version: "16.2.5" });
  await old.created();
  assert.equal(parseVmx(readFileSync(old.vmx, "utf8")).get("guestos"), "other-64");
});

describe("the address is that of the card", () => {
  for (const [address, product] of [
    ["leases", "ws"],
    ["arp", "ws"],
    ["arp", "fusion"],
    ["tools", "fusion"],
  ] as const) {
    test(`by ${address}, with ${product}`, async () => {
      await using scene = await openScene({ product, address });
      const driver = await scene.created();
      await driver.locate?.(scene.signal);
      assert.equal(await driver.getIp(), scene.vmware.addressOf(scene.vmx));
    });
  }

  test("never the engine's bridge, which VMware's tools name", async () => {
    await using scene = await openScene({ address: "bridge" });
    const driver = await scene.created();
    await driver.locate?.(scene.signal);
    assert.equal(await driver.getIp(), "");
  });

  test("also of a machine whose address VMware chose", async () => {
    await using scene = await openScene();
    const driver = await scene.created();
    const text = readFileSync(scene.vmx, "utf8");
    writeFileSync(scene.vmx, text.replace("ethernet0.address = ", "ethernet0.generatedAddress = "));
    await driver.locate?.(scene.signal);
    assert.equal(await driver.getIp(), scene.vmware.addressOf(scene.vmx));
  });
});

describe("stop", () => {
  test("asks the tools where they run, else the guest over SSH", async () => {
    await using tools = await openScene({ tools: "running" });
    const first = await tools.created();
    await first.stop(tools.signal);
    assert.ok(commandsOf(tools).includes(`stop ${tools.vmx} soft`));
    await using plain = await openScene({ tools: "installed" });
    const second = await plain.created();
    await second.stop(plain.signal);
    assert.equal(plain.running(), undefined);
    assert.ok(!commandsOf(plain).some((command) => command.startsWith("stop")));
    assert.deepEqual(
      plain.lines().filter((line) => line.includes("switched off")),
      [],
    );
  });

  test("switches off a guest that does not hear, and one that nobody can ask", async () => {
    await using deaf = await openScene({ isDeaf: true });
    const first = await deaf.created();
    await first.stop(deaf.signal);
    assert.equal(deaf.running(), undefined);
    assert.ok(
      deaf.lines().some((line) => /^"web" did not shut down \(.* within 120 s\) and is switched off\.$/u.test(line)),
      deaf.lines().join(),
    );
    const { MachineError } = await import("../../../src/errors/machine-error.ts");
    const unreachable = async (): Promise<never> => await Promise.reject(new MachineError("ssh-unreachable", "no route"));
    await using lost = await openScene({}, { openSsh: unreachable });
    const second = await lost.created();
    await second.stop(lost.signal);
    assert.ok(lost.lines().some((line) => line.includes("(no route) and is switched off")));
  });

  test("has a bound where VMware waits for tools that never answer", async () => {
    const world = newProgramWorld({ tools: "running", hangs: true });
    const processes = hurried(world.context.processes, 120_000, 1_000);
    await using scene = await openScene({}, { processes }, () => world);
    const driver = await scene.created();
    await driver.stop(scene.signal);
    assert.equal(scene.running(), undefined);
    assert.ok(scene.lines().some((line) => /did not end within 1000 ms\) and is switched off/u.test(line)));
  });
});

test("a machine whose memory was saved goes on with start, and has stopped after stop and kill", async () => {
  await using scene = await openScene();
  const { vmware, signal, vmx } = scene;
  const driver = await scene.created();
  const suspend = (): void => {
    vmware.end(vmx);
    writeFileSync(vmx, `${readFileSync(vmx, "utf8")}checkpoint.vmState = "web-1a2b3c4d.vmss"\n`);
    writeFileSync(path.join(scene.context.machineDir, "web-1a2b3c4d.vmss"), "memory");
  };
  for (const [verb, then] of [
    ["start", "Running"],
    ["stop", "Stopped"],
    ["kill", "Stopped"],
  ] as const) {
    suspend();
    assert.equal(await driver.getState(signal), "Saved");
    await driver[verb](signal);
    assert.equal(await driver.getState(signal), then, verb);
  }
  await driver.remove(signal);
  assert.deepEqual(filesOf(scene), ["id_ed25519", "id_ed25519.pub"]);
});

test("a store behind a link is told by where it leads, and a machine whose name begins with ours is another", async () => {
  await using scene = await openScene();
  const link = path.join(scene.context.storePath, "link");
  symlinkSync(scene.context.machineDir, link);
  const there = { ...scene.context, machineDir: link };
  const driver = await scene.created();
  const linked = driverModule.open(there, await driver.configText());
  assert.equal(await linked.getState(scene.signal), "Running");
  const twin = driverModule.open(
    { ...scene.context, machineName: "we" },
    JSON.stringify({ ...(await configOf(driver)), MachineName: "we" }),
  );
  copyFileSync(scene.vmx, path.join(scene.context.machineDir, "we.vmx"));
  assert.equal(await twin.getState(scene.signal), "Stopped");
});

test("boot2docker starts from its CD, with a disk that it formats; a CD of the user's takes our seed's place", async () => {
  await using scene = await openScene();
  const { storePath, machineDir } = scene.context;
  mkdirSync(path.join(storePath, "cds"));
  const [iso, drive] = [path.join(storePath, "cds", "b2d.iso"), path.join(storePath, "cds", "drive.iso")];
  writeFileSync(iso, isoImage("b2d", { version: "19.03.12" }));
  writeFileSync(drive, isoImage("cidata", { "meta-data": "{}", "user-data": "#cloud-config\n{}" }));
  const driver = await scene.created({
    "vmwarefusion-boot2docker-url": `file://${iso}`,
    "vmwarefusion-image": "default",
    "vmwarefusion-configdrive-url": drive,
  });
  const text = parseVmx(readFileSync(scene.vmx, "utf8"));
  assert.deepEqual([text.get("sata0:1.filename"), text.get("sata0:2.filename")], ["boot2docker.iso", "configdrive.iso"]);
  assert.equal(await driver.hostKeys?.(), "none");
  assert.equal((await configOf(driver))["ISO"], path.join(machineDir, "boot2docker.iso"));
  await driver.remove(scene.signal);
  assert.ok(!existsSync(path.join(machineDir, "boot2docker.iso")));

  await using image = await openScene();
  const other = await image.created({ "vmwarefusion-configdrive-url": drive });
  assert.equal(image.running()?.seed?.metaData, "{}");
  assert.deepEqual([await other.hostKeys?.(), await other.getSshKeyPath()], ["none", ""]);
});
