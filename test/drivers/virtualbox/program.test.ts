/** The program itself with VBoxManage, the stand-in, on PATH: processes that are killed, and processes side by side. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { describe, test } from "node:test";
import { output, Program, programs } from "../../e2e/program.ts";
import { waitUntil } from "../../lab/wait.ts";
import { bootDisk } from "../../support/boot-disk.ts";
import { callsIn, installVBoxManage, serveHardware, stateIn } from "./vboxmanage-program.ts";

const unbuilt = existsSync(programs.executable[0]) ? false : "the executable is not built";
const callMs = 120_000;

interface Installed extends AsyncDisposable {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Arguments of `create`, all but the name. */
  readonly create: readonly string[];
}

/** Nobody answers at the machines' addresses: a create ends at its first contact. */
async function install(): Promise<Installed> {
  const scratch = await mkdtempDisposable(path.join(tmpdir(), "virtualbox-program-"));
  const folder = scratch.path;
  const bin = installVBoxManage(folder, { deafMs: 0, bootMs: 0 });
  const image = path.join(folder, "image.raw");
  writeFileSync(image, bootDisk());
  const server = await serveHardware(folder, { boot: async () => "192.168.59.100", off: async () => {} });
  const flags = ["--virtualbox-image", image, "--virtualbox-no-vtx-check", "--virtualbox-no-share"];
  return {
    folder,
    env: {
      ...{ PATH: `${bin}:${process.env["PATH"]}`, VBOX_USER_HOME: path.join(folder, "configuration") },
      MACHINE_TIMEOUT_SSH: "1s",
    },
    create: ["create", "-d", "virtualbox", ...flags],
    [Symbol.asyncDispose]: async () => {
      server.close();
      await scratch[Symbol.asyncDispose]();
    },
  };
}

describe("the program with VirtualBox", { skip: unbuilt }, () => {
  test("is killed while it makes a machine: the machine is shown, and rm takes exactly what is ours", async () => {
    await using virtualbox = await install();
    const { env, folder } = virtualbox;
    await using program = await Program.open();
    const theirs = ["createvm", "--name", "web", "--basefolder", path.join(folder, "theirs"), "--register"];
    await output("VBoxManage", theirs, { env });
    const running = program.start([...virtualbox.create, "web"], { env });
    await waitUntil("the machine to be changed", callMs, async () =>
      callsIn(folder).some(([command]) => command === "modifyvm") ? true : undefined,
    );
    running.signal("SIGKILL", "group");
    await running.ended;
    assert.match(await program.ok(["ls"], { env }), /^web\s/mu);
    await program.ok(["rm", "-y", "web"], { env });
    const { vms, interfaces, media, extra } = stateIn(folder);
    assert.deepEqual(
      vms.map(({ settingsFile }) => settingsFile),
      [path.join(folder, "theirs/web/web.vbox")],
    );
    assert.deepEqual([interfaces, media, extra], [[], [], {}]);
  });

  test("of two stores at one time makes one network for both machines, and takes it away with the second", async () => {
    await using virtualbox = await install();
    const { env, folder } = virtualbox;
    await using one = await Program.open();
    await using other = await Program.open();
    const created = await Promise.all(
      [one, other].map(async (program) => await program.run([...virtualbox.create, "web"], { env })),
    );
    for (const { status, stderr } of created) assert.notEqual(status, 0, stderr);
    const { vms, interfaces } = stateIn(folder);
    assert.equal(vms.length, 2);
    assert.deepEqual(
      interfaces.map(({ name, address }) => `${name} ${address}`),
      ["vboxnet0 192.168.59.1"],
    );
    assert.equal(callsIn(folder).filter((call) => call.join(" ") === "hostonlyif create").length, 1);
    await one.ok(["rm", "-y", "web"], { env });
    assert.equal(stateIn(folder).interfaces.length, 1);
    await other.ok(["rm", "-y", "web"], { env });
    const left = stateIn(folder);
    assert.deepEqual([left.vms, left.interfaces, left.media, left.extra], [[], [], [], {}]);
  });
});
