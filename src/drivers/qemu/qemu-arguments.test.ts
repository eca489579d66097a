import assert from "node:assert/strict";
import { test } from "node:test";
import { qemuArguments, type LaunchSpec } from "./qemu-arguments.ts";

const spec: LaunchSpec = {
  name: "web",
  instanceId: "6f0e1d2c-0000-4000-8000-000000000000",
  arch: "x64",
  accelerator: "tcg",
  cpuCount: 2,
  memoryMiB: 2048,
  boot: { kind: "kernel", words: ["systemd.hostname=web"] },
  hasSeed: false,
  credentialCount: 2,
  shares: [],
  memory: "own",
  windows: false,
};

/** The values of a flag that may be given several times. */
function values(args: readonly string[], flag: string): string[] {
  return args.flatMap((arg, index) => (arg === flag ? [args[index + 1] ?? ""] : []));
}

test("a guest starts paused and without a single open port", () => {
  const args = qemuArguments(spec);
  assert.ok(args.includes("-S"));
  assert.deepEqual(values(args, "-netdev"), ["user,id=net0"]);
  assert.equal(
    args.some((arg) => arg.includes("hostfwd")),
    false,
  );
});

test("identities are named by file, never by value", () => {
  assert.deepEqual(values(qemuArguments(spec), "-smbios"), ["type=11,path=credential-0", "type=11,path=credential-1"]);
  assert.ok(
    values(qemuArguments({ ...spec, hasSeed: true }), "-drive").includes("if=none,id=seed0,file=seed.iso,format=raw,readonly=on"),
  );
});

test("no file name is absolute, so that sockets fit and the folder may move", () => {
  const paths = qemuArguments(spec).flatMap((arg) => [...arg.matchAll(/(?:path|file)=([^,]+)/gu)].map((found) => found[1] ?? ""));
  assert.ok(paths.length > 5);
  assert.deepEqual(
    paths.filter((name) => name.includes("/")),
    [],
  );
});

test("what is accelerated runs the computer's own CPU; what is emulated need not defend against it", () => {
  const cpu = (accelerator: LaunchSpec["accelerator"]): string | undefined =>
    values(qemuArguments({ ...spec, accelerator }), "-cpu")[0];
  assert.deepEqual([cpu("kvm"), cpu("hvf"), cpu("whpx"), cpu("tcg")], ["host", "host", "max", "max"]);
  const kernel = (accelerator: LaunchSpec["accelerator"]): string =>
    values(qemuArguments({ ...spec, accelerator }), "-append")[0] ?? "";
  assert.match(kernel("tcg"), /mitigations=off/u);
  assert.doesNotMatch(kernel("kvm"), /mitigations=off/u);
  assert.match(kernel("kvm"), /^root=\/dev\/vda rw console=ttyS0 .*systemd\.hostname=web$/u);
});

test("an image with a boot loader is booted by firmware", () => {
  const pc = qemuArguments({ ...spec, boot: { kind: "firmware", firmware: undefined } });
  assert.deepEqual([pc.includes("-kernel"), pc.includes("-bios")], [false, false]);
  const arm = qemuArguments({ ...spec, arch: "arm64", boot: { kind: "firmware", firmware: "/fw/AAVMF.fd" } });
  assert.deepEqual(values(arm, "-bios"), ["/fw/AAVMF.fd"]);
  assert.deepEqual(values(arm, "-machine"), ["virt"]);
});

test("a restored guest differs from the saved one by nothing but its own view of the memory, and by waiting", () => {
  const saved = qemuArguments({ ...spec, memory: "saved" });
  assert.deepEqual(values(saved, "-object"), ["memory-backend-file,mem-path=memory.img,share=on,id=mem0,size=2048M"]);
  const restored = qemuArguments({ ...spec, memory: "restored" });
  assert.deepEqual(
    restored,
    [...saved, "-incoming", "defer"].map((arg) => arg.replace("share=on", "share=off")),
  );
});

test("free memory is given back, but never by holes in a file that others read", () => {
  const reports = (memory: LaunchSpec["memory"]): boolean =>
    values(qemuArguments({ ...spec, memory }), "-device").includes("virtio-balloon-pci,free-page-reporting=on");
  assert.deepEqual([reports("own"), reports("saved"), reports("restored")], [true, false, false]);
});

test("folders are shared by virtiofs with shared memory, or by 9p with commas escaped", () => {
  const folder = { folder: "/a,b", target: "/data", readOnly: true };
  const virtiofs = qemuArguments({ ...spec, shares: [{ ...folder, by: "virtiofs" }] });
  assert.ok(values(virtiofs, "-object").includes("memory-backend-memfd,share=on,id=mem0,size=2048M"));
  assert.ok(values(virtiofs, "-device").includes("vhost-user-fs-pci,chardev=share0,tag=share0"));
  const plan9 = qemuArguments({ ...spec, shares: [{ ...folder, by: "9p" }] });
  assert.deepEqual(values(plan9, "-fsdev"), ["local,id=share0,path=/a,,b,security_model=none,readonly=on"]);
});

test("on Windows channels are named pipes of this machine alone", () => {
  const chardevs = values(qemuArguments({ ...spec, windows: true }), "-chardev");
  assert.ok(chardevs.includes(`pipe,path=docker-machine-${spec.instanceId}-qmp.sock,id=monitor0`));
});
