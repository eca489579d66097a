/** What can be wrong with a computer, its Hyper-V and its virtual machines: sentences with a way out, and nothing of others touched. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { describe, test } from "node:test";
import type { FlagValue } from "../../../src/driver-kit/create-flag.ts";
import type { ErrorCode } from "../../../src/errors/codes.ts";
import { scriptsOf } from "./fake-powershell.ts";
import type { Behaviour } from "./fake-model.ts";
import { assertNoAddress, assertRefused } from "../driver-scene.ts";
import { openScene } from "./scene.ts";

const hasQemuImg = spawnSync("qemu-img", ["--version"]).status === 0;

describe("before anything is made", () => {
  const computers: readonly (readonly [string, Behaviour, ErrorCode, RegExp | string, RegExp])[] = [
    [
      "the module is missing",
      { hasModule: false },
      "provider-unsupported",
      "Hyper-V PowerShell Module is not available",
      /Enable-Windows/u,
    ],
    [
      "no rights",
      { rights: "none" },
      "provider-permission",
      "Hyper-v commands have to be run as an Administrator",
      /-SID S-1-5-32-578/u,
    ],
    ["constrained language", { constrained: true }, "provider-unsupported", /constrained language mode/u, /qemu/u],
    ["no hypervisor", { hasHypervisor: false }, "provider-unsupported", /hypervisor of Hyper-V does not run/u, /Enable-Windows/u],
    ["off in firmware", { hasHypervisor: false, hasFirmware: false }, "provider-unsupported", /does not run/u, /firmware/u],
    ["the service is stopped", { service: "Stopped" }, "provider-unsupported", /\(vmms\) is stopped/u, /Start-Service vmms/u],
    ["no service", { service: "" }, "provider-unsupported", /\(vmms\) is not installed/u, /Enable-Windows/u],
  ];
  for (const [what, behaviour, code, sentence, hint] of computers) {
    test(what, async () => {
      await using scene = await openScene(behaviour);
      const error = await assertRefused(scene.checked(), code, sentence);
      assert.match(error.hint ?? "", hint);
      assert.deepEqual(scene.hyperv.state.vms, []);
    });
  }

  test("an administrator of Hyper-V alone may do it all", async () => {
    await using scene = await openScene({ rights: "hyperv" });
    const driver = await scene.created();
    await driver.stop(scene.signal);
    await driver.remove(scene.signal);
    assert.deepEqual(scene.hyperv.state.vms, []);
  });

  test("no PowerShell, and another system than Windows", async () => {
    await using scene = await openScene();
    const { computer, processes } = scene.context;
    await using bare = await openScene({}, { processes: { ...processes, find: async () => undefined } });
    await assertRefused(bare.checked(), "program-missing", "Powershell was not found in the path");
    await using linux = await openScene({}, { computer: { ...computer, os: "linux" } });
    await assertRefused(linux.checked(), "driver-unsupported", 'Driver "hyperv" not supported on this platform.');
  });

  test("no such switch, and none at all", async () => {
    await using scene = await openScene();
    const { hint } = await assertRefused(
      scene.checked({ "hyperv-virtual-switch": "lan" }),
      "provider-not-found",
      'vswitch "lan" not found',
    );
    assert.equal(hint, "There are: LAN, Standardswitch.");
    scene.hyperv.save({ switches: [], vms: [] });
    await assertRefused(scene.checked(), "provider-not-found", /^no External vswitch found\. A valid vswitch must be available/u);
  });

  test("flags that are wrong or do not go together", async () => {
    await using scene = await openScene();
    for (const [flags, sentence] of [
      [{ "hyperv-memory": 511 }, /--hyperv-memory 511 is too small: 512 is the least/u],
      [{ "hyperv-memory": 1_025 }, /--hyperv-memory 1025 is odd/u],
      [{ "hyperv-static-macaddress": "00155D" }, /is not a MAC address/u],
      [{ "hyperv-vlan-id": 4_095 }, /4094 is the most/u],
      [{ "hyperv-disk-size": 10 }, /4000 is the least/u],
      [{ "hyperv-cpu-count": 0 }, /1 is the least/u],
      [{ "hyperv-secure-boot": "maybe" }, /is not one of: on, off/u],
      [{ "hyperv-memory-max": 600 }, /--hyperv-memory-max 600 is less than --hyperv-memory 1024/u],
      [{ "hyperv-memory-max": 2_048, "hyperv-disable-dynamic-memory": true }, /exclude each other/u],
      [{ "hyperv-boot2docker-url": "/b.iso" }, /exclude each other/u],
      [{ "hyperv-boot2docker-url": "/b.iso", "hyperv-image": "default", "hyperv-ssh-user": "ops" }, /exclude each other/u],
      [{ "hyperv-image": "https://example.test/a.qcow2" }, /needs its checksum/u],
    ] as const satisfies readonly (readonly [Readonly<Record<string, FlagValue>>, RegExp])[]) {
      await assert.rejects(scene.configured(flags), { code: "driver-options", message: sentence });
    }
    await assert.rejects(scene.checked({ "hyperv-cloud-config": "no-such-file" }), { code: "driver-options" });
    await assert.rejects(scene.checked({ "hyperv-image": "/no/such.qcow2" }), { code: "image-unusable" });
  });
});

describe("while it is made", () => {
  const steps = [
    "Convert-VHD",
    "New-VM",
    "Set-VM",
    "Set-VMProcessor",
    "Set-VMFirmware",
    "Set-VMNetworkAdapter",
    "Add-VMDvdDrive",
    "Start-VM",
  ];
  for (const step of steps) {
    test(`${step} fails for want of space: told so, made to the end later, or removed`, async () => {
      await using scene = await openScene();
      const { hyperv, signal } = scene;
      const driver = await scene.checked();
      const full = {
        failing: { [`Hyper-V\\${step}`]: ["OperationFailed", "Auf dem Datenträger ist kein Platz. (0x80070070)"] },
      } as const;
      hyperv.behave(full);
      await assertRefused(driver.create(signal), "disk-full", /no space left/u);
      assert.ok(!existsSync(path.join(scene.context.machineDir, "disk-source.vhd")));
      hyperv.behave({});
      const later = await scene.reopened(driver);
      await later.create(signal);
      assert.equal(scene.own().State, "Running");
      hyperv.behave({});
      await later.remove(signal);
      hyperv.behave(full);
      const another = await scene.checked();
      await assertRefused(another.create(signal), "disk-full", /no space left/u);
      hyperv.behave({});
      await (await scene.reopened(another)).remove(signal);
      assert.deepEqual(hyperv.state.vms, []);
      assert.deepEqual(readdirSync(scene.context.machineDir).toSorted(), ["id_ed25519", "id_ed25519.pub"]);
    });
  }

  for (const [what, id, words, code, sentence] of [
    [
      "a file that Hyper-V may not open",
      "OperationFailed",
      "Zugriff verweigert (0x80070005)",
      "provider-permission",
      /may not open a file of "web"/u,
    ],
    ["a file in use", "OperationFailed", "(0x80070020)", "provider-busy", /in use by another program/u],
    ["a state that does not fit", "InvalidState", "Ungültig", "provider-busy", /in the state that it is in/u],
    [
      "no hypervisor",
      "OperationFailed",
      "The hypervisor is not running.",
      "provider-unsupported",
      /does not run, so "web" cannot start/u,
    ],
  ] as const) {
    test(what, async () => {
      await using scene = await openScene();
      const driver = await scene.checked();
      scene.hyperv.behave({ failing: { "Hyper-V\\Start-VM": [id, words] } });
      await assertRefused(driver.create(scene.signal), code, sentence);
    });
  }

  test("more memory than there is", async () => {
    await using scene = await openScene({ memoryMiB: 1_500 });
    scene.hyperv.addForeign("other", { State: "Running" });
    await assertRefused((await scene.checked()).create(scene.signal), "provider-capacity", /no memory left for "web"/u);
  });

  test("an image that is larger than the disk", { skip: hasQemuImg ? false : "qemu-img is not installed" }, async () => {
    await using scene = await openScene();
    const file = path.join(scene.context.storePath, "large.qcow2");
    execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", file, "5G"]);
    const driver = await scene.checked({ "hyperv-image": file, "hyperv-disk-size": 4_000 });
    await assertRefused(driver.create(scene.signal), "driver-options", /too small for its image/u);
  });
});

describe("virtual machines of others", () => {
  test("of the same name are never touched, and that there is one is said", async () => {
    await using scene = await openScene();
    const { hyperv, signal } = scene;
    const foreign = [
      hyperv.addForeign("web", { State: "Running" }),
      hyperv.addForeign("WEB", { Notes: "docker-machine:another" }),
      hyperv.addForeign("other", { Notes: "docker-machine:test-web" }),
    ];
    const driver = await scene.created();
    assert.ok(scene.lines().some((line) => line.includes(`another virtual machine "web" (${foreign[0]?.Id})`)));
    for (const verb of ["stop", "start", "restart", "kill"] as const) await driver[verb](signal);
    assert.equal(hyperv.state.vms.find(({ Id }) => Id === foreign[0]?.Id)?.State, "Running");
    await driver.remove(signal);
    assert.deepEqual(hyperv.state.vms, foreign);
  });

  test("a copy of ours, with its notes, is another's", async () => {
    await using scene = await openScene();
    const { hyperv, signal } = scene;
    const driver = await scene.created();
    const { Notes } = scene.own();
    const copy = hyperv.addForeign("web", { Notes, State: "Running" });
    await (await scene.reopened(driver)).remove(signal);
    assert.deepEqual(hyperv.state.vms, [copy]);
  });

  test("a disk of others that is attached survives", async () => {
    await using scene = await openScene();
    const { hyperv, signal } = scene;
    const driver = await scene.created();
    const data = path.join(scene.context.storePath, "data.vhdx");
    writeFileSync(data, "vhdxfile of someone");
    hyperv.change(scene.own().Id, (vm) => void vm.disks.push(data));
    await driver.remove(signal);
    assert.ok(existsSync(data));
    assert.ok(scene.lines().includes(`The disk ${data} was attached by others and stays.`));
  });

  test("a disk of others in the machine's folder, which goes, holds up rm until it is moved", async () => {
    await using scene = await openScene();
    const { hyperv, signal } = scene;
    const driver = await scene.created();
    const { Id } = scene.own();
    const folder = path.join(scene.context.machineDir, "web", "Virtual Hard Disks");
    mkdirSync(folder);
    const data = path.join(folder, "disk.vhdx");
    writeFileSync(data, "vhdxfile of someone");
    hyperv.change(Id, (vm) => void vm.disks.push(data));
    await assertRefused(driver.remove(signal), "driver-failed", /not of docker-machine lies in the folder of "web"/u);
    assert.equal(scene.own().State, "Running");
    hyperv.change(Id, (vm) => void vm.disks.pop());
    await driver.remove(signal);
    assert.ok(existsSync(data));
    assert.deepEqual(hyperv.state.vms, []);
  });
});

describe("behind the driver's back", () => {
  test("removed: no state, a way out, and rm succeeds", async () => {
    await using scene = await openScene();
    const { hyperv, signal } = scene;
    const driver = await scene.created();
    hyperv.lose(scene.own().Id);
    assert.equal(await driver.getState(signal), "");
    assert.match(driver.stateProblem ?? "", /is gone from Hyper-V/u);
    for (const verb of ["start", "stop", "kill", "restart", "create"] as const)
      assert.match(
        (await assertRefused(driver[verb](signal), "provider-not-found", /is gone from Hyper-V/u)).hint ?? "",
        /docker-machine rm web/u,
      );
    await driver.remove(signal);
    assert.deepEqual(readdirSync(scene.context.machineDir).toSorted(), ["id_ed25519", "id_ed25519.pub"]);
  });

  test("renamed, moved and without its notes: known by its id", async () => {
    await using scene = await openScene();
    const { hyperv, signal } = scene;
    const driver = await scene.created();
    hyperv.change(scene.own().Id, (vm) => {
      vm.Name = "renamed";
      vm.Notes = "";
      vm.ConfigurationLocation = "D:\\elsewhere";
    });
    await driver.stop(signal);
    assert.equal(await driver.getState(signal), "Stopped");
    await driver.remove(signal);
    assert.deepEqual(hyperv.state.vms, []);
  });

  test("rights that were taken away are no absence: rm fails, and removes nothing", async () => {
    await using scene = await openScene();
    const { hyperv, signal } = scene;
    const driver = await scene.created();
    for (const rights of ["none", "blind"] as const) {
      hyperv.behave({ rights });
      await assertRefused(driver.getState(signal), "provider-permission", /as an Administrator/u);
      await assertRefused(driver.remove(signal), "provider-permission", /as an Administrator/u);
      assert.ok(existsSync(path.join(scene.context.machineDir, "disk.vhdx")));
    }
    hyperv.behave({});
    await driver.remove(signal);
  });
});

test("an address that never appears is a wait with an end", async () => {
  await using scene = await openScene({ isMute: true });
  await assertNoAddress(scene, await scene.created(), '"Standardswitch"');
});

test("a second machine that a script made after its process was killed is removed", async () => {
  await using scene = await openScene();
  const { hyperv, signal } = scene;
  const driver = await scene.checked();
  // It appears between the look for leftovers and the making.
  const { machineDir, processes } = scene.context;
  await using late = await openScene(
    {},
    {
      ...scene.context,
      processes: {
        ...processes,
        run: async (program, args, options) => {
          const script = Buffer.from(args.at(-1) ?? "", "base64").toString("utf16le");
          if (script.includes("New-VM ")) hyperv.addForeign("web", { ConfigurationLocation: path.join(machineDir, "web") });
          return await processes.run(program, args, options);
        },
      },
    },
  );
  const again = await late.reopened(driver);
  await again.create(signal);
  assert.equal(hyperv.state.vms.length, 1);
  assert.equal(scene.own().State, "Running");
  assert.ok(scriptsOf(hyperv.folder).some((script) => script.includes("Remove-VM")));
  assert.ok(scene.lines().some((line) => line.includes("made a second virtual machine")));
});
