/** The stand-in refuses what PowerShell and Hyper-V refuse: each rule is broken once. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, describe, test } from "node:test";
import { isoImage } from "../../../src/driver-kit/guest/iso.ts";
import { vhdFooter } from "../../../src/driver-kit/disk-formats/vhd-footer.ts";
import { fields, powershellArguments, questions, scriptText, type Script } from "../../../src/drivers/hyperv/script.ts";
import { FakeHyperv } from "./fake-hyperv.ts";
import type { Behaviour } from "./fake-model.ts";
import { installPowerShell, runPowerShell } from "./fake-powershell.ts";

const scratch = mkdtempSync(path.join(tmpdir(), "docker-machine-powershell-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

const vhd = path.join(scratch, "source.vhd");
writeFileSync(vhd, Buffer.concat([Buffer.alloc(8192, 1), vhdFooter(8192, "f1aabbcc-0011-4233-8445-66778899aabb")]));
const cd = path.join(scratch, "cd.iso");
writeFileSync(cd, isoImage("x", {}));

let counter = 0;
function fakeOf(behaviour: Behaviour = {}): FakeHyperv {
  return FakeHyperv.install(path.join(scratch, String((counter += 1))), behaviour, () => 0);
}

function run(fake: FakeHyperv, statements: readonly string[], data: Script["data"] = {}, answers: readonly string[] = []) {
  return runPowerShell(fake, powershellArguments({ statements, data, answers }));
}

function errorOf(fake: FakeHyperv, statements: readonly string[], data: Script["data"] = {}): string {
  const { stdout, status } = run(fake, statements, data);
  assert.equal(status, 0);
  const { error } = JSON.parse(stdout) as { readonly error?: { readonly id: string } };
  return error?.id.split(",")[0] ?? "";
}

describe("what is no such script is a parse error", () => {
  const good = scriptText({ statements: ["$vms=Hyper-V\\Get-VM"], answers: [], data: {} });
  const encode = (text: string): readonly string[] => [
    ...["-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-EncodedCommand"],
    Buffer.from(text, "utf16le").toString("base64"),
  ];
  for (const [what, args] of [
    ["another beginning", encode(good.replace("'Stop'", "'Continue'"))],
    ["another end", encode(`${good}\nexit`)],
    ["a pipe", encode(good.replace("Get-VM", "Get-VM|Hyper-V\\Remove-VM -Force"))],
    ["a value in quotes", encode(good.replace("Get-VM", "Get-VM -Name 'web'"))],
    ["a cmdlet without its module", encode(good.replace("Hyper-V\\", ""))],
    ["UTF-8 in the place of UTF-16", [...encode(good).slice(0, -1), Buffer.from(good).toString("base64")]],
    ["another option", ["-NoExit", ...encode(good)]],
    ["options in another order", [...encode(good).slice(1, 2), ...encode(good).slice(0, 1), ...encode(good).slice(2)]],
    ["a line that is too long", encode(`${good.slice(0, 100)}${" ".repeat(20_000)}`)],
  ] as const) {
    test(what, () => assert.equal(runPowerShell(fakeOf(), args).status, 1));
  }
  test("the script itself is none", () => assert.equal(runPowerShell(fakeOf(), encode(good)).status, 0));
});

describe("parameters are held against Microsoft's documentation", () => {
  const take = "$vm=Hyper-V\\Get-VM -Id $a.id";
  const [id, name] = ["0b6d7c5e-3a4f-4a53-9d0c-6d2f7a1b8c9d", "web"];
  for (const [statement, data, error] of [
    ["Hyper-V\\Get-VMX -Name $a.name", { name }, "CommandNotFoundException"],
    ["$vms=Hyper-V\\Get-VM -Nome $a.name", { name }, "NamedParameterNotFound"],
    ["$vms=Hyper-V\\Get-VM -Name $a.name -Id $a.id", { name, id }, "AmbiguousParameterSet"],
    ["Hyper-V\\Convert-VHD -Path $a.name", { name }, "MissingMandatoryParameter"],
    ["$vms=Hyper-V\\Get-VM -Id $a.name", { name }, "ParameterArgumentTransformationError"],
    ["$vms=Hyper-V\\Get-VM -Name $a.name", {}, "ParameterArgumentValidationErrorNullNotAllowed"],
    ["Hyper-V\\Start-VM -VM $nothing", {}, "ParameterArgumentValidationErrorNullNotAllowed"],
    [`${take}\nHyper-V\\Set-VMProcessor -VM $vm -Count $a.name`, { id, name }, "ParameterArgumentTransformationError"],
    [
      `${take}\nHyper-V\\Set-VM -VM $vm -AutomaticCheckpointsEnabled False -StaticMemory`,
      { id },
      "ParameterArgumentTransformationError",
    ],
    [
      `${take}\nHyper-V\\Set-VM -VM $vm -AutomaticStopAction Shutdown -StaticMemory`,
      { id },
      "ParameterArgumentTransformationError",
    ],
    [`${take}\nHyper-V\\Set-VMDvdDrive -VM $vm -Path $a.name`, { id, name }, "NamedParameterNotFound"],
    [`${take}\nHyper-V\\Stop-VM -VM $vm -Force $true`, { id }, "ParameterArgumentTransformationError"],
    [`$s=Hyper-V\\Get-VMSwitch\nHyper-V\\Start-VM -VM $s`, {}, "ParameterArgumentTransformationError"],
    ["$n=NetTCPIP\\Get-NetNeighbor -AddressFamily IPv5", {}, "ParameterArgumentTransformationError"],
  ] as const) {
    test(`${statement.split("\n").at(-1)}: ${error}`, () => {
      const fake = fakeOf();
      fake.addForeign("web", { Id: id });
      assert.equal(errorOf(fake, statement.split("\n"), data), error);
    });
  }

  test("values that nothing uses are a mistake", () => {
    assert.throws(() => run(fakeOf(), ["$vms=Hyper-V\\Get-VM"], { id: "x" }), /nothing uses: id/u);
  });
});

describe("Hyper-V refuses", () => {
  const id = "0b6d7c5e-3a4f-4a53-9d0c-6d2f7a1b8c9d";
  const make = (generation: number, disk: string, boot: string): readonly string[] => [
    `$vm=Hyper-V\\New-VM -Name $a.name -Generation ${generation} -MemoryStartupBytes $a.memory -VHDPath $a.disk -Path $a.folder -SwitchName $a.switch -BootDevice ${boot}`,
  ];
  const data = { name: "web", memory: 1024 * 1024 * 1024, disk: vhd, folder: path.join(scratch, "vms"), switch: "LAN" };
  const sparse = path.join(scratch, "sparse.vhd");
  writeFileSync(sparse, "");
  truncateSync(sparse, 1024 * 1024);

  for (const [what, statements, more, error] of [
    ["a VHD in generation 2", make(2, vhd, "VHD"), {}, "InvalidParameter"],
    ["to boot generation 1 from VHD", make(1, vhd, "VHD"), {}, "InvalidParameter"],
    ["a sparse disk", make(1, sparse, "IDE"), { disk: sparse }, "InvalidParameter"],
    ["a disk that is none", make(1, cd, "IDE"), { disk: cd }, "InvalidParameter"],
    ["a disk that is not there", make(1, "x", "IDE"), { disk: "/no/disk.vhd" }, "ObjectNotFound"],
    ["a switch that is not there", make(1, vhd, "IDE"), { switch: "lan2" }, "InvalidParameter"],
    ["odd memory", make(1, vhd, "IDE"), { memory: 1024 * 1024 * 1023 }, "InvalidParameter"],
  ] as const) {
    test(what, () => assert.equal(errorOf(fakeOf(), statements, { ...data, ...more }), error));
  }
  test("none of that", () => assert.equal(errorOf(fakeOf(), make(1, vhd, "IDE"), data), ""));

  const take = "$vm=Hyper-V\\Get-VM -Id $a.id";
  for (const [what, statement, more, vm, error] of [
    ["to remove what runs", "Hyper-V\\Remove-VM -VM $vm -Force", {}, { State: "Running" }, "InvalidState"],
    ["to remove without being asked twice", "Hyper-V\\Remove-VM -VM $vm", {}, {}, "InvalidOperation"],
    [
      "to switch off without being asked twice",
      "Hyper-V\\Stop-VM -VM $vm -TurnOff",
      {},
      { State: "Running" },
      "InvalidOperation",
    ],
    ["a VLAN without access", "Hyper-V\\Set-VMNetworkAdapterVlan -VM $vm -VlanId $a.vlan", { vlan: 7 }, {}, "InvalidParameter"],
    [
      "another address",
      "Hyper-V\\Set-VMNetworkAdapter -VM $vm -StaticMacAddress $a.mac",
      { mac: "00:15:5D:00:00:01" },
      {},
      "InvalidParameter",
    ],
    ["a CD that is none", "Hyper-V\\Add-VMDvdDrive -VM $vm -Path $a.file", { file: vhd }, {}, "InvalidParameter"],
    [
      "firmware of generation 1",
      "Hyper-V\\Set-VMFirmware -VM $vm -EnableSecureBoot Off",
      {},
      { Generation: 1 },
      "InvalidOperation",
    ],
    ["to start without its disk", "Hyper-V\\Start-VM -VM $vm", {}, { disks: ["/no/disk.vhdx"] }, "OperationFailed"],
    ["to resume what stands still", "Hyper-V\\Resume-VM -VM $vm", {}, {}, "InvalidState"],
    ["both kinds of memory", "Hyper-V\\Set-VM -VM $vm -StaticMemory -DynamicMemory", {}, {}, "InvalidParameter"],
    [
      "a minimum above the start",
      "Hyper-V\\Set-VM -VM $vm -DynamicMemory -MemoryMinimumBytes $a.least",
      { least: 2 ** 31 },
      {},
      "InvalidParameter",
    ],
  ] as const) {
    test(what, () => {
      const fake = fakeOf();
      fake.addForeign("web", { Id: id, ...vm, disks: [...("disks" in vm ? vm.disks : [])] });
      assert.equal(errorOf(fake, [take, statement], { id, ...more }), error);
    });
  }
});

describe("answers", () => {
  const list = [`$vms=Hyper-V\\Get-VM${fields.vm}`];
  test("end with CRLF; states are numbers unless they are asked for as text", () => {
    const fake = fakeOf();
    fake.addForeign("it's <one>", { State: "Running" });
    const { stdout } = run(fake, list, {}, ["vms"]);
    assert.match(stdout, /"State":"Running".*\r\n$/u);
    assert.match(stdout, /it\\u0027s \\u003cone\\u003e/u);
    assert.match(run(fake, ["$vms=Hyper-V\\Get-VM|Select-Object State"], {}, ["vms"]).stdout, /"State":2/u);
  });

  test("are an object with a list and its length where Windows PowerShell has that", () => {
    assert.match(run(fakeOf({ wrapsLists: true }), list, {}, ["vms"]).stdout, /^\{"vms":\{"value":\[\],"Count":0\}\}/u);
  });

  test("of whole objects are a mistake", () => {
    assert.throws(() => run(fakeOf(), ["$vms=Hyper-V\\Get-VM"], {}, ["vms"]), /without Select-Object/u);
  });

  test("names are patterns and may be several machines'", () => {
    const fake = fakeOf();
    for (const name of ["web", "web", "web2"]) fake.addForeign(name);
    const count = (name: string): number =>
      (JSON.parse(run(fake, [`$vms=Hyper-V\\Get-VM -Name $a.name${fields.vm}`], { name }, ["vms"]).stdout) as { vms: unknown[] })
        .vms.length;
    assert.deepEqual([count("web"), count("w*")], [2, 3]);
  });

  test("questions are answered as the computer is", () => {
    const ask = (behaviour: Behaviour): unknown =>
      JSON.parse(
        run(fakeOf(behaviour), [questions.administrator, questions.hypervAdministrator, questions.firmware], {}, [
          ...["administrator", "hypervAdministrator", "firmware"],
        ]).stdout,
      );
    assert.deepEqual(ask({}), { administrator: [true], hypervAdministrator: [false], firmware: [false] });
    assert.deepEqual(ask({ rights: "hyperv" }), { administrator: [false], hypervAdministrator: [true], firmware: [false] });
    assert.deepEqual(ask({ rights: "none", hasHypervisor: false }), {
      administrator: [false],
      hypervAdministrator: [false],
      firmware: [true],
    });
  });
});

test("as a program it is the same, and hangs until another switches the machine off", () => {
  const fake = fakeOf();
  const program = path.join(installPowerShell(fake.folder), "powershell");
  const args = powershellArguments({ statements: [`$vms=Hyper-V\\Get-VM${fields.vm}`], answers: ["vms"], data: {} });
  const { stdout, status } = spawnSync(program, args, { encoding: "utf8" });
  assert.deepEqual([stdout, status], ['{"vms":[]}\r\n', 0]);
});
