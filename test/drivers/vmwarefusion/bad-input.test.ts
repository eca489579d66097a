/** What can be wrong with a computer, its VMware and its virtual machines: sentences with a way out, and nothing of others touched. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { describe, test } from "node:test";
import type { FlagValue } from "../../../src/driver-kit/create-flag.ts";
import type { ErrorCode } from "../../../src/errors/codes.ts";
import type { Behaviour } from "./fake-vmware.ts";
import { assertNoAddress, assertRefused } from "../driver-scene.ts";
import { openScene } from "./scene.ts";

const keys = ["id_ed25519", "id_ed25519.pub"];

describe("before anything is made", () => {
  const computers: readonly (readonly [string, Behaviour, ErrorCode, RegExp | string])[] = [
    ["no vmrun", { missing: ["vmrun"] }, "program-missing", "VMRUN not found"],
    ["no vdiskmanager", { missing: ["vmware-vdiskmanager"] }, "program-missing", "vmware-vdiskmanager not found"],
    [
      "an old Workstation",
      { version: "15.5.7" },
      "provider-unsupported",
      "VMware Workstation 15.5.7 is too old: 16 is the oldest that will do",
    ],
    ["an old Fusion", { product: "fusion", version: "11.5.7" }, "provider-unsupported", /Fusion 11\.5\.7 is too old: 12/u],
    [
      "Fusion 12 on Apple's processors",
      { product: "fusion", arch: "arm64", version: "12.2.5" },
      "provider-unsupported",
      /too old: 13/u,
    ],
  ];
  for (const [what, behaviour, code, sentence] of computers) {
    test(what, async () => {
      await using scene = await openScene(behaviour);
      await assertRefused(scene.checked(), code, sentence);
      assert.deepEqual(scene.vmware.machines, []);
    });
  }

  test("programs that only Windows' registry knows are found", async () => {
    await using scene = await openScene({ isInRegistry: true });
    const driver = await scene.created();
    assert.equal(scene.vmware.calls.filter((call) => call.startsWith("reg ")).length, 3, "once for each program");
    await driver.remove(scene.signal);
    await using without = await openScene({ isInRegistry: true, missing: ["vmrun"] });
    await assertRefused(without.checked(), "program-missing", "VMRUN not found");
  });

  test("a version that cannot be told holds up nothing", async () => {
    await using scene = await openScene({ missing: ["vmware-vmx"] });
    await scene.created();
    assert.ok(scene.running() !== undefined);
  });

  test("Linux without VMware's kernel modules", { skip: existsSync("/dev/vmmon") ? "they are there" : false }, async () => {
    await using scene = await openScene();
    const { computer } = scene.context;
    await using linux = await openScene({}, { computer: { ...computer, os: "linux" } });
    const { hint } = await assertRefused(linux.checked(), "provider-unsupported", /there is no \/dev\/vmmon/u);
    assert.match(hint ?? "", /vmware-modconfig --console --install-all/u);
  });

  test("boot2docker on ARM", async () => {
    await using scene = await openScene({ product: "fusion", arch: "arm64" });
    const flags = { "vmwarefusion-boot2docker-url": "/b.iso", "vmwarefusion-image": "default" };
    await assertRefused(scene.checked(flags), "driver-options", /x86-64 computers only/u);
  });

  test("flags that are wrong or do not go together", async () => {
    await using scene = await openScene();
    for (const [flags, sentence] of [
      [{ "vmwarefusion-memory-size": 511 }, /--vmwarefusion-memory-size 511 is too small: 512/u],
      [{ "vmwarefusion-memory-size": 1_026 }, /is no multiple of 4/u],
      [{ "vmwarefusion-disk-size": 10 }, /4000 is the least/u],
      [{ "vmwarefusion-network-type": "nut" }, /is not one of: nat, bridged, hostonly/u],
      [{ "vmwarefusion-ssh-user": "a b" }, /is not a user name/u],
      [{ "vmwarefusion-share-folder": ['a"b:/c'] }, /is not FOLDER\[:PATH\]/u],
      [{ "vmwarefusion-share-folder": ["/srv"], "vmwarefusion-no-share": true }, /exclude each other/u],
      [{ "vmwarefusion-boot2docker-url": "/b.iso" }, /exclude each other/u],
      [{ "vmwarefusion-configdrive-url": "/c.iso", "vmwarefusion-cloud-config": "x" }, /cloud-init reads one CD/u],
    ] as const satisfies readonly (readonly [Readonly<Record<string, FlagValue>>, RegExp])[]) {
      await assert.rejects(scene.configured(flags), { code: "driver-options", message: sentence });
    }
    await assert.rejects(scene.checked({ "vmwarefusion-cloud-config": "no-such-file" }), { code: "driver-options" });
    await assert.rejects(scene.checked({ "vmwarefusion-share-folder": ["/no/such:/x"] }), { code: "driver-options" });
    await assert.rejects(scene.checked({ "vmwarefusion-image": "/no/such.qcow2" }), { code: "image-unusable" });
  });
});

describe("while it is made", () => {
  for (const [step, words] of [
    ["-r", "There is not enough space in the file system for the selected operation"],
    ["start", "There is no space left on the device"],
  ] as const) {
    test(`${step} fails for want of space: told so, made to the end later, or removed`, async () => {
      await using scene = await openScene();
      const { vmware, signal } = scene;
      const driver = await scene.checked();
      vmware.behave({ failing: { [step]: words } });
      await assertRefused(driver.create(signal), "disk-full", /no space left/u);
      const left = readdirSync(scene.context.machineDir);
      assert.ok(!left.includes("web-source.vmdk"));
      assert.equal(left.includes("web.vmdk"), step === "start", "half a disk");
      vmware.behave({});
      const later = await scene.reopened(driver);
      await later.create(signal);
      assert.ok(scene.running() !== undefined);
      await later.remove(signal);
      vmware.behave({ failing: { [step]: words } });
      const another = await scene.checked();
      await assertRefused(another.create(signal), "disk-full", /no space left/u);
      vmware.behave({});
      await (await scene.reopened(another)).remove(signal);
      assert.deepEqual(vmware.machines, []);
      assert.deepEqual(readdirSync(scene.context.machineDir).toSorted(), keys);
    });
  }

  for (const [words, code, sentence] of [
    ["Unknown error", "provider-error", /does not say why/u],
    ["The license has expired", "provider-account", /has no valid licence/u],
    ["Could not open /dev/vmmon: No such file or directory.", "provider-unsupported", /kernel modules of VMware are not loaded/u],
    ["Insufficient permissions", "provider-permission", /may not do this for "web"/u],
  ] as const) {
    test(`start says: ${words}`, async () => {
      await using scene = await openScene({ failing: { start: words } });
      const error = await assertRefused((await scene.checked()).create(scene.signal), code, sentence);
      if (code === "provider-error") assert.ok(error.hint?.includes(path.join(scene.context.machineDir, "vmware.log")));
    });
  }

  test("more memory than there is", async () => {
    await using scene = await openScene({ memoryMiB: 800 });
    await assertRefused((await scene.checked()).create(scene.signal), "provider-capacity", /no memory left for "web"/u);
  });
});

describe("virtual machines of others", () => {
  test("of the same name are elsewhere, and never touched", async () => {
    await using scene = await openScene();
    const { vmware, signal } = scene;
    const foreign = [vmware.addForeign("web", true), vmware.addForeign("web2")];
    const driver = await scene.created();
    for (const verb of ["stop", "start", "restart", "kill"] as const) await driver[verb](signal);
    await driver.remove(signal);
    assert.deepEqual(vmware.machines, foreign);
    assert.deepEqual(
      vmware.running.map(({ vmx }) => vmx),
      foreign.slice(0, 1),
    );
  });

  test("that someone put into the machine's folder are told of, and stay", async () => {
    await using scene = await openScene();
    const { signal, vmx } = scene;
    writeFileSync(vmx, '.encoding = "UTF-8"\ndisplayName = "theirs"\n');
    writeFileSync(path.join(scene.context.machineDir, "web.vmdk"), "their disk");
    await assertRefused(scene.checked(), "provider-exists", /^machine already exists: /u);
    rmSync(vmx);
    const driver = await scene.checked();
    writeFileSync(vmx, '.encoding = "UTF-8"\nguestinfo.docker-machine.create-id = "another"\n');
    await assertRefused(driver.create(signal), "provider-exists", /^machine already exists: /u);
    assert.ok(existsSync(vmx) && existsSync(path.join(scene.context.machineDir, "web.vmdk")));
    await driver.remove(signal);
    assert.ok(existsSync(vmx));
  });

  test("that took the place of ours are not ended, started or removed", async () => {
    await using scene = await openScene();
    const { signal, vmx } = scene;
    const driver = await scene.created();
    writeFileSync(vmx, readFileSync(vmx, "utf8").replace('"test-web"', '"another"'));
    assert.equal(await driver.getState(signal), "");
    assert.match(driver.stateProblem ?? "", /another's virtual machine/u);
    for (const verb of ["start", "stop", "kill", "remove"] as const)
      await assertRefused(driver[verb](signal), "provider-exists", /^machine already exists: /u);
    assert.ok(scene.running() !== undefined && existsSync(vmx));
  });

  test("a disk of others that is attached survives; one in the machine's folder, which goes, holds up rm", async () => {
    await using scene = await openScene();
    const { signal, vmx } = scene;
    const driver = await scene.created();
    const data = path.join(scene.context.storePath, "data.vmdk");
    writeFileSync(data, "KDMV of someone");
    const attach = (file: string): void =>
      writeFileSync(vmx, `${readFileSync(vmx, "utf8")}scsi0:1.present = "TRUE"\nscsi0:1.fileName = "${file}"\n`);
    const before = readFileSync(vmx, "utf8");
    const inner = path.join(scene.context.machineDir, "data.vmdk");
    writeFileSync(inner, "KDMV of someone");
    attach("data.vmdk");
    await assertRefused(driver.remove(signal), "driver-failed", /not of docker-machine lies in the folder of "web"/u);
    assert.ok(scene.running() !== undefined);
    writeFileSync(vmx, before);
    attach(data);
    await driver.remove(signal);
    assert.ok(existsSync(data) && existsSync(inner));
    assert.ok(scene.lines().includes(`The disk ${data} was attached by others and stays.`));
  });
});

describe("behind the driver's back", () => {
  test("removed: no state, a way out, and rm succeeds", async () => {
    await using scene = await openScene();
    const { vmware, signal, vmx } = scene;
    const driver = await scene.created();
    vmware.lose(vmx);
    assert.equal(await driver.getState(signal), "");
    assert.match(driver.stateProblem ?? "", /is gone: .*web\.vmx$/u);
    for (const verb of ["start", "stop", "kill", "restart", "create"] as const)
      assert.match(
        (await assertRefused(driver[verb](signal), "provider-not-found", /is gone/u)).hint ?? "",
        /docker-machine rm web/u,
      );
    await driver.remove(signal);
    assert.deepEqual(readdirSync(scene.context.machineDir).toSorted(), keys);
  });

  test("its file removed while it runs: an error, and rm ends it", async () => {
    await using scene = await openScene();
    const { vmware, signal, vmx } = scene;
    const driver = await scene.created();
    rmSync(vmx);
    assert.equal(await driver.getState(signal), "Error");
    await driver.remove(signal);
    assert.deepEqual(vmware.machines, []);
  });

  test("written again by VMware's window: known by its mark, snapshots and all", async () => {
    await using scene = await openScene();
    const { vmware, signal, vmx } = scene;
    const driver = await scene.created();
    const text = readFileSync(vmx, "utf8").replace('"web.vmdk"', '"web-000001.vmdk"').replaceAll(" = ", "=");
    writeFileSync(vmx, text.toLowerCase().replaceAll("\n", "\r\n"));
    for (const name of [
      "web-000001.vmdk",
      "web-Snapshot1.vmsn",
      "web.vmsd",
      "web.vmxf",
      "web.nvram",
      "vmware-1.log",
      "web.vmdk.lck",
    ])
      writeFileSync(path.join(scene.context.machineDir, name), "x");
    assert.equal(await driver.getState(signal), "Running");
    await driver.remove(signal);
    assert.deepEqual(vmware.machines, []);
    assert.deepEqual(readdirSync(scene.context.machineDir).toSorted(), keys);
  });

  test("a list that cannot be had is no absence: rm fails, and removes nothing", async () => {
    await using scene = await openScene();
    const { vmware, signal } = scene;
    const driver = await scene.created();
    vmware.behave({ failing: { list: "Cannot connect to the virtual machine" } });
    await assert.rejects(driver.getState(signal), { code: "provider-invalid" });
    await assert.rejects(driver.remove(signal), { code: "provider-invalid" });
    assert.ok(existsSync(scene.vmx));
    vmware.behave({});
    await driver.remove(signal);
  });

  test("one that VMware does not end stays, and that is said", async () => {
    await using scene = await openScene();
    const { vmware, signal } = scene;
    const driver = await scene.created();
    vmware.behave({ failing: { stop: "The file is already in use" } });
    await assertRefused(driver.remove(signal), "provider-busy", /A file of "web" is in use/u);
    assert.ok(existsSync(scene.vmx));
    vmware.behave({});
    await driver.remove(signal);
    assert.deepEqual(vmware.machines, []);
  });
});

test("an address that never appears is a wait with an end", async () => {
  await using scene = await openScene({ address: "never" });
  await assertNoAddress(scene, await scene.created(), "console.log");
});
