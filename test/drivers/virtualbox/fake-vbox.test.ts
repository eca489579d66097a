/**
 * The stand-in, held against the product's recorded answers: the same calls in the same order, with the same files. What it tells
 * of a machine is a part of what the product tells, and that part is equal. Then what could not be recorded: machines that run.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, describe, test } from "node:test";
import { parsePairs } from "../../../src/drivers/virtualbox/vm-info.ts";
import { HastyClock } from "../../support/hasty-clock.ts";
import { FakeVBox, type FakeAnswer } from "./fake-vbox.ts";
import { recorded, type Recorded } from "./recorded.ts";

const root = mkdtempSync(path.join(tmpdir(), "docker-machine-fake-vbox-"));
after(() => rmSync(root, { recursive: true, force: true }));

const mib = 1024 * 1024;
const at = (file: string): string => path.join(root, file);
const file = (name: string, bytes: number): void => {
  mkdirSync(path.dirname(at(name)), { recursive: true });
  writeFileSync(at(name), Buffer.alloc(bytes));
};

/** Ids that VirtualBox chose are other ones here, and lines of source code are the product's own business. */
function comparable(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/giu, "ID")
    .replaceAll(/^VBoxManage: error: Context: .*\n/gmu, "")
    .replaceAll(/ at \S+VDI\.cpp\(\d+\).*$/gmu, " at VDI.cpp")
    .replaceAll(/^VBoxManage: error: Invalid UUID or filename .*\n/gmu, "")
    .replaceAll(/^0%.*(?:100%|FAILURE)\n?/gmu, "")
    .replaceAll(/, callee nsISupports$/gmu, "");
}

function assertAlike(answer: FakeAnswer, real: Recorded): void {
  assert.equal(answer.status, real.status, `${real.name}: ${answer.stderr}`);
  if (real.args[0] === "showvminfo" && real.status === 0) return assertPart(answer.stdout, real);
  assert.equal(comparable(answer.stdout), comparable(real.stdout), `${real.name}: standard output`);
  assert.equal(comparable(answer.stderr), comparable(real.stderr), `${real.name}: standard error`);
}

/** Chosen by VirtualBox, or by the clock. */
const chosen = /^(?:UUID|hardwareuuid|macaddress\d|SATA-ImageUUID.*)$/u;

function assertPart(stdout: string, real: Recorded): void {
  const [ours, theirs] = [parsePairs(stdout), parsePairs(real.stdout)];
  assert.ok(ours.size > 15, real.name);
  for (const [key, value] of ours) if (!chosen.test(key)) assert.equal(value, theirs.get(key), `${real.name}: ${key}`);
  const order = [...theirs.keys()].filter((key) => ours.has(key));
  assert.deepEqual([...ours.keys()], order, `${real.name}: the order`);
}

/** @param steps numbers of recorded calls, and what is done to the files before some of them */
async function replay(vbox: FakeVBox, steps: readonly (string | (() => void))[]): Promise<void> {
  for (const step of steps) {
    if (typeof step === "function") step();
    else assertAlike(await vbox.run(recorded(step).args), recorded(step));
  }
}

test("an empty VirtualBox, and 0.16.2's calls for a machine", async () => {
  mkdirSync(at("home"), { recursive: true });
  file("root/vms/boot2docker.iso", mib);
  file("root/vms/raw.img", 64 * mib);
  file("root/vms/copy.vdi", mib);
  const vbox = new FakeVBox(new HastyClock(), { root });
  await replay(vbox, [
    ...["02", "06", "10", "11", "12", "15", "16", "17", "18", "19", "20", "22", "24", "25", "26", "27", "28", "29", "30", "31"],
    ...[
      "32",
      "33",
      "34",
      "35",
      "36",
      "38",
      "39",
      "40",
      "41",
      "42",
      "43",
      "44",
      "45",
      "46",
      "47",
      "48",
      "49",
      "52",
      "53",
      "54",
      "55",
    ],
    // Disks out of raw ones, and two of one id.
    ...["70", "71", "72", "76", "81"],
    () => {
      const header = vbox.state.headers["/root/vms/c1.vdi"];
      assert.ok(header !== undefined);
      vbox.state.headers["/root/vms/copy.vdi"] = { ...header };
    },
    "82",
    // It was given another id, and then attached.
    () => {
      vbox.state.headers["/root/vms/copy.vdi"] = { uuid: "another", sizeMiB: 64 };
    },
    ...["84", "102", "103", "112"],
  ]);
});

test("today's calls for a machine, with an id of ours", async () => {
  file("root/vms/base.img", 100 * mib);
  file("root/st/machines/web/seed.iso", 32 * 1024);
  file("root/seed.iso", 47_104);
  const vbox = new FakeVBox(new HastyClock(), { root });
  await replay(vbox, ["142", "143", "144", "145", "146", "147", "148", "149", "150", "151", "152", "162"]);
  rmSync(at("root/st/gone/gone.vbox"));
  const gone = vbox.state.vms.find(({ name }) => name === "gone");
  assert.ok(gone !== undefined);
  // The recorded one was called by its own id.
  vbox.state.vms = [...vbox.state.vms.filter((vm) => vm !== gone), { ...gone, uuid: recorded("165").args[1] ?? "" }];
  await replay(vbox, [...["165", "166", "167", "180", "181", "183", "184", "185", "186", "187"]]);
  await replay(vbox, ["198", "201", "202", "203", "204", "206", "210", "211", "212", "213", "215", "216", "223"]);
  file("root/afile", 0);
  file("root/st/machines/web9/web9/web9.vbox", 1);
  await replay(vbox, ["196", "224", "225"]);
});

test("a name that nothing is escaped in", async () => {
  mkdirSync(at("root/vms/with space"), { recursive: true });
  const vbox = new FakeVBox(new HastyClock(), { root });
  await vbox.run(["createvm", "--basefolder", "/root/quoted", "--name", "m1", "--register"]);
  await replay(vbox, ["104"]);
});

test("a full disk", async () => {
  file("root/vms/comp.img", 100 * mib);
  const vbox = new FakeVBox(new HastyClock(), { root, fullDiskAt: ["convertfromraw"] });
  await replay(vbox, ["192"]);
});

describe("machines that run", () => {
  async function running(clock: HastyClock): Promise<FakeVBox> {
    const vbox = new FakeVBox(clock);
    const folder = mkdtempSync(path.join(root, "running-"));
    await vbox.run(["createvm", "--basefolder", folder, "--name", "m", "--register"]);
    assert.equal((await vbox.run(["startvm", "m", "--type", "headless"])).status, 0);
    return vbox;
  }

  test("are not started, changed or unregistered a second time", async () => {
    const vbox = await running(new HastyClock());
    for (const args of [
      ["startvm", "m", "--type", "headless"],
      ["modifyvm", "m", "--cpus", "2"],
      ["unregistervm", "m"],
    ]) {
      const { status, stderr } = await vbox.run(args);
      assert.equal(status, 1, args[0]);
      assert.match(stderr, /VBOX_E_INVALID_OBJECT_STATE/u);
    }
  });

  test("hear their button when they have booted, and are locked for a moment after the end", async () => {
    const clock = new HastyClock();
    const vbox = await running(clock);
    const state = async (): Promise<string> =>
      parsePairs((await vbox.run(["showvminfo", "m", "--machinereadable"])).stdout).get("VMState") ?? "";
    await vbox.run(["controlvm", "m", "acpipowerbutton"]);
    await clock.sleep(1_500);
    assert.equal(await state(), "running");
    await clock.sleep(1_000);
    await vbox.run(["controlvm", "m", "acpipowerbutton"]);
    await clock.sleep(1_100);
    assert.equal(await state(), "poweroff");
    assert.equal((await vbox.run(["modifyvm", "m", "--cpus", "2"])).status, 1);
    await clock.sleep(1_000);
    assert.equal((await vbox.run(["modifyvm", "m", "--cpus", "2"])).status, 0);
  });

  test("need their disk and their network", async () => {
    const vbox = await running(new HastyClock());
    await vbox.run(["controlvm", "m", "poweroff"]);
    const [vm] = vbox.state.vms;
    assert.ok(vm !== undefined);
    vm.lockedUntilMs = 0;
    await vbox.run(["modifyvm", "m", "--nic2", "hostonly", "--hostonlyadapter2", "vboxnet9"]);
    const cut = await vbox.run(["startvm", "m", "--type", "headless"]);
    assert.match(cut.stderr, /VERR_INTNET_FLT_IF_NOT_FOUND/u);
    vm.cards[1].kind = "none";
    vm.controllers.push({
      name: "SATA",
      portCount: 1,
      ports: [{ port: 0, kind: "hdd", medium: "/no/disk", uuid: "", nonrotational: false, discard: false }],
    });
    const lost = await vbox.run(["startvm", "m", "--type", "headless"]);
    assert.match(lost.stderr, /VERR_FILE_NOT_FOUND/u);
    assert.match(lost.stdout, /^Waiting for VM "m" to power on/u);
  });
});

test("what it does not know it refuses", async () => {
  const vbox = new FakeVBox(new HastyClock());
  await vbox.run(["createvm", "--basefolder", root, "--name", "strict", "--register"]);
  for (const args of [["frobnicate"], ["list", "nothing"], ["modifyvm", "strict", "--no-such", "on"], ["createvm", "--oops"]]) {
    const { status, stderr } = await vbox.run(args);
    assert.notEqual(status, 0, args.join(" "));
    assert.match(stderr, /^VBoxManage: error: /u);
  }
});

test("Macs have networks in the place of interfaces; other systems have none", async () => {
  const mac = new FakeVBox(new HastyClock(), { os: "darwin" });
  assert.equal((await mac.run(["hostonlyif", "create"])).status, 1);
  const add = [
    "hostonlynet",
    "add",
    "--name",
    "n",
    "--netmask",
    "255.255.255.0",
    "--lower-ip",
    "192.168.59.1",
    "--upper-ip",
    "192.168.59.254",
    "--enable",
  ];
  assert.equal((await mac.run(add)).status, 0);
  assert.equal((await mac.run(add)).status, 1);
  assert.equal((await new FakeVBox(new HastyClock()).run(add)).status, 2);
});
