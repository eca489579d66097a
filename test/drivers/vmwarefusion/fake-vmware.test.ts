/** The stand-in refuses what VMware refuses: each rule is broken once. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, describe, test } from "node:test";
import { streamOptimizedVmdk } from "../../../src/driver-kit/disk-formats/stream-optimized-vmdk.ts";
import { isoImage } from "../../../src/driver-kit/guest/iso.ts";
import { iscLeases } from "../../../src/drivers/vmwarefusion/leases.ts";
import { vmxText, type MachineDescription } from "../../../src/drivers/vmwarefusion/vmx.ts";
import { writeInOrder, writeNewFile } from "../../../src/system/random-access.ts";
import { diskOf } from "../../support/memory-disk.ts";
import { installPrograms } from "./fake-programs.ts";
import { FakeVmware, type Behaviour } from "./fake-vmware.ts";

const scratch = realpathSync(mkdtempSync(path.join(tmpdir(), "docker-machine-fake-vmware-")));
after(() => rmSync(scratch, { recursive: true, force: true }));

let counter = 0;
interface Rig {
  readonly fake: FakeVmware;
  readonly vmx: string;
  readonly disk: string;
  readonly source: string;
}

const description: MachineDescription = {
  ...{ name: "m", arch: "x64", knowsDebian: true, memoryMiB: 512, cpus: 1, disk: "m.vmdk", cds: ["seed.iso"] },
  ...{ network: "nat", macAddress: "00:50:56:01:02:03", shares: [], mark: { key: "guestinfo.id", value: "x" } },
};

async function rig(behaviour: Behaviour = {}): Promise<Rig> {
  const folder = path.join(scratch, String((counter += 1)));
  const fake = FakeVmware.install(folder, behaviour, () => 1_000_000_000_000);
  mkdirSync(path.join(folder, "m"));
  const [vmx, disk, source] = ["m.vmx", "m.vmdk", "source.vmdk"].map((name) => path.join(folder, "m", name));
  if (vmx === undefined || disk === undefined || source === undefined) throw new Error("three paths");
  const stream = streamOptimizedVmdk(
    diskOf([{ offset: 0, bytes: Buffer.alloc(65_536, 7) }], 1 << 20),
    { capacityBytes: 1 << 24, uuid: "f1aabbcc-0011-4233-8445-66778899aabb", level: 1 },
    AbortSignal.timeout(10_000),
  );
  await writeNewFile(source, async (sink) => await writeInOrder(sink, stream));
  writeFileSync(path.join(folder, "m", "seed.iso"), isoImage("cidata", { "meta-data": "{}", "user-data": "#cloud-config\n{}" }));
  assert.equal(fake.run("vmware-vdiskmanager", ["-r", source, "-t", "0", disk]).status, 0);
  writeFileSync(vmx, vmxText(description));
  return { fake, vmx, disk, source };
}

function vmrun({ fake }: Rig, ...args: readonly string[]) {
  return fake.run("vmrun", ["-T", fake.behaviour.product ?? "ws", ...args]);
}

describe("vmrun", () => {
  test("wants its product first, and this one", async () => {
    const { fake } = await rig();
    for (const args of [
      ["list"],
      ["list", "-T", "ws"],
      ["-T", "fusion", "list"],
      ["-T", "ws", "list", "all"],
      ["-T", "ws", "deleteVM"],
    ])
      assert.equal(fake.run("vmrun", args).status, 255, args.join(" "));
    assert.deepEqual(fake.run("vmrun", ["-T", "ws", "list"]), { status: 0, stdout: "Total running VMs: 0\n", stderr: "" });
  });

  test("starts a machine once, and lists it by where its path leads", async () => {
    const given = await rig();
    const link = path.join(scratch, `link-${counter}`);
    symlinkSync(path.dirname(given.vmx), link);
    assert.equal(vmrun(given, "start", path.join(link, "m.vmx"), "nogui").status, 0);
    assert.equal(vmrun(given, "list").stdout, `Total running VMs: 1\n${given.vmx}\n`);
    assert.deepEqual(vmrun(given, "start", given.vmx, "nogui"), {
      status: 255,
      stdout: "Error: The file is already in use\n",
      stderr: "",
    });
  });

  test("asks at a second start what becomes of the console's file, unless that is answered", async () => {
    const given = await rig();
    for (const time of [1, 2]) {
      assert.equal(vmrun(given, "start", given.vmx, "nogui").status, 0, String(time));
      vmrun(given, "stop", given.vmx, "hard");
    }
    writeFileSync(given.vmx, readFileSync(given.vmx, "utf8").replace(/^answer\..*\n/mu, ""));
    assert.match(vmrun(given, "start", given.vmx, "nogui").stdout, /replace it, or append/u);
  });

  const edits: readonly (readonly [string, (text: string) => string, RegExp, Behaviour?])[] = [
    ["no encoding", (text) => text.replace(/^.*\n/u, ""), /Cannot read the virtual machine configuration file/u],
    ["a key twice", (text) => `${text}memsize = "1024"\n`, /Cannot read/u],
    ["no quotes", (text) => text.replace('memsize = "512"', "memsize = 512"), /Cannot read/u],
    ["no config.version", (text) => text.replace(/^config\.version.*\n/mu, ""), /Cannot read/u],
    ["no virtualHW.version", (text) => text.replace(/^virtualHW\.version.*\n/mu, ""), /Cannot read/u],
    ["no guestOS", (text) => text.replace(/^guestOS.*\n/mu, ""), /does not specify a guest operating system/u],
    ["newer hardware", (text) => text.replace('version = "18"', 'version = "21"'), /newer than this product/u],
    ["odd memory", (text) => text.replace('memsize = "512"', 'memsize = "510"'), /memory size/u],
    ["no processor", (text) => text.replace('numvcpus = "1"', 'numvcpus = "0"'), /processors/u],
    ["another's MAC address", (text) => text.replace("00:50:56:01", "00:50:56:41"), /range/u],
    ["a disk that is not there", (text) => text.replace('"m.vmdk"', '"n.vmdk"'), /Cannot find the file/u],
    ["a compressed disk", (text) => text.replace('"m.vmdk"', '"source.vmdk"'), /compressed and cannot be attached/u],
    ["a disk that is none", (text) => text.replace('"m.vmdk"', '"seed.iso"'), /not a virtual disk/u],
    ["a CD that is none", (text) => text.replace('"seed.iso"', '"m.vmdk"'), /not a CD image/u],
    ["no controller", (text) => text.replace('scsi0.present = "TRUE"', 'scsi0.present = "FALSE"'), /no controller scsi0/u],
    ["a PC on ARM", (text) => text, /another architecture/u, { arch: "arm64" }],
    [
      "lsilogic on ARM",
      (text) => text.replace('guestOS = "', 'guestOS = "arm-').replace("pvscsi", "lsilogic"),
      /not available on ARM/u,
      { arch: "arm64" },
    ],
  ];
  for (const [what, edit, words, behaviour] of edits) {
    test(`does not start a machine with ${what}`, async () => {
      const given = await rig(behaviour);
      writeFileSync(given.vmx, edit(readFileSync(given.vmx, "utf8")));
      const { status, stdout } = vmrun(given, "start", given.vmx, "nogui");
      assert.equal(status, 255);
      assert.match(stdout, words);
      assert.deepEqual(given.fake.running, []);
    });
  }

  test("stops softly only with tools, and nothing that does not run", async () => {
    const given = await rig();
    assert.match(vmrun(given, "stop", given.vmx, "hard").stdout, /^Error: The virtual machine is not powered on: /u);
    vmrun(given, "start", given.vmx, "nogui");
    assert.match(vmrun(given, "stop", given.vmx, "soft").stdout, /^Error: The VMware Tools are not running/u);
    assert.equal(vmrun(given, "stop", given.vmx, "hard", "nogui").status, 255);
    assert.equal(vmrun(given, "stop", given.vmx, "hard").status, 0);
    assert.match(vmrun(given, "start", "/no/m.vmx", "nogui").stdout, /^Error: Cannot open VM: \/no\/m\.vmx/u);
  });

  test("writes leases: others', one of ours that has ended, and the one that counts", async () => {
    const given = await rig();
    vmrun(given, "start", given.vmx, "nogui");
    const leases = iscLeases(readFileSync(path.join(given.fake.folder, "ProgramData", "VMware", "vmnetdhcp.leases"), "utf8"));
    assert.deepEqual(
      leases.map(({ mac, endsMs }) => [mac, endsMs > 1_000_000_000_000]),
      [
        ["005056010203", false],
        ["005056010203", true],
        ["000c29aabbcc", true],
      ],
    );
    assert.equal(leases[1]?.address, given.fake.addressOf(given.vmx));
  });
});

describe("vmware-vdiskmanager", () => {
  test("converts a whole stream into a new file, by the arguments it knows", async () => {
    const { fake, source, disk } = await rig();
    const run = (...args: readonly string[]): string => fake.run("vmware-vdiskmanager", args).stdout;
    assert.match(run("-r", source, "-t", "0", disk), /already exists/u);
    rmSync(disk);
    assert.match(run("-r", source, "-t", "6", disk), /Invalid arguments/u);
    assert.match(run("-r", source, disk), /Invalid arguments/u);
    assert.match(run("-r", "/no/such", "-t", "0", disk), /not a virtual disk/u);
    truncateSync(source, readFileSync(source).length - 512);
    assert.match(run("-r", source, "-t", "0", disk), /not a virtual disk/u);
  });
});

test("as a program it is the same, and waits for tools until another process switches off", async () => {
  const given = await rig({ tools: "running", hangs: true });
  const program = path.join(installPrograms(given.fake.folder), "vmrun");
  const run = (...args: readonly string[]) => spawnSync(program, ["-T", "ws", ...args], { encoding: "utf8" });
  assert.equal(run("start", given.vmx, "nogui").status, 0);
  const waiting = spawn(program, ["-T", "ws", "stop", given.vmx, "soft"], { stdio: "ignore" });
  const ended = once(waiting, "exit");
  assert.equal(run("list").stdout, `Total running VMs: 1\n${given.vmx}\n`);
  assert.equal(waiting.exitCode, null);
  assert.equal(run("stop", given.vmx, "hard").status, 0);
  assert.deepEqual(await ended, [0, null]);
});
