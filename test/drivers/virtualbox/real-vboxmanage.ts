/**
 * The product's own VBoxManage, out of Debian's packages, without its kernel module: machines are made, changed and removed for
 * real, and none starts. The packages are unpacked once, into the lab's folder, and not installed. Each test has a configuration
 * and a network namespace of its own, in which a virtual cable called `vboxnet0` is a host-only interface to VirtualBox.
 */
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { makePrivateDirectory } from "../../../src/system/files.ts";
import { lockFile } from "../../../src/system/file-lock.ts";
import { isMachineError } from "../../../src/errors/machine-error.ts";
import { command, findProgram } from "../../lab/command.ts";
import { readOuterApt, type OuterApt } from "../../lab/outer-apt.ts";
import { labPaths } from "../../lab/paths.ts";
import { waitUntil } from "../../lab/wait.ts";

/** What VBoxManage needs of a system, besides what its package depends on. */
const packages = ["virtualbox", "base-files", "dash", "libc-bin", "iproute2"];
const buildMs = 600_000;
const endMs = 30_000;
const needed = ["mmdebstrap", "unshare", "nsenter", "ip", "chroot"];

/** Why it cannot be had on this computer, or the folder that it is in. */
export async function provideVBoxManage(): Promise<{ readonly tree: string } | { readonly reason: string }> {
  if (process.platform !== "linux" || process.arch !== "x64")
    return { reason: "VirtualBox is unpacked on Linux for x86-64 only" };
  if (process.env["DOCKER_MACHINE_LAB"] === "off") return { reason: "the lab is switched off" };
  if (process.getuid?.() !== 0) return { reason: "VirtualBox is unpacked by root only" };
  for (const program of needed) if ((await findProgram(program)) === undefined) return { reason: `${program} is not installed` };
  await makePrivateDirectory(labPaths.root);
  const apt = await readOuterApt();
  const tree = path.join(
    labPaths.root,
    `vboxmanage-${createHash("sha256")
      .update(JSON.stringify([packages, apt]))
      .digest("hex")
      .slice(0, 16)}`,
  );
  try {
    await using _lock = await lockFile(labPaths.imageLock("vboxmanage"), {
      what: "VBoxManage",
      purpose: "unpack",
      waitMs: buildMs,
    });
    if (!existsSync(tree)) await unpack(tree, apt);
    return { tree };
  } catch (error) {
    if (isMachineError(error)) throw error;
    return { reason: `VirtualBox cannot be had: ${(error as Error).message.split("\n").at(-1)}` };
  }
}

async function unpack(tree: string, apt: OuterApt): Promise<void> {
  const arriving = await mkdtemp(`${tree}.new-`);
  try {
    const settings = [
      'APT::Install-Recommends "false";',
      'APT::Sandbox::User "root";',
      'Acquire::Check-Valid-Until "false";',
      ...apt.settings,
    ];
    const options = [
      "--variant=extract",
      "--quiet",
      `--include=${packages.join(",")}`,
      ...settings.map((line) => `--aptopt=${line}`),
    ];
    const source = `deb ${apt.mirror} sid main contrib`;
    // What mmdebstrap mounts cannot be left behind then.
    await command(
      "unshare",
      ["--mount", "--propagation", "private", "mmdebstrap", ...options, "sid", path.join(arriving, "root"), source],
      {
        timeoutMs: buildMs,
      },
    );
    await rename(path.join(arriving, "root"), tree);
  } finally {
    await rm(arriving, { recursive: true, force: true });
  }
}

export interface RealVBox extends AsyncDisposable {
  /** Below it lie VirtualBox's configuration and what the test makes. */
  readonly folder: string;
  /** For the programs that the test starts: VBoxManage is in front of PATH. */
  readonly env: Readonly<Record<string, string | undefined>>;
  run(...args: readonly string[]): Promise<string>;
  /** Gives the host-only interface an address, or takes it: `192.168.59.1/24`, "". */
  setInterface(cidr: string): Promise<void>;
  /** Ends VirtualBox's service, which reads all settings anew when it is needed again. */
  restart(): Promise<void>;
}

export async function openRealVBox(tree: string): Promise<RealVBox> {
  const id = `dmvbox-${randomBytes(4).toString("hex")}`;
  const folder = await mkdtemp(path.join(tmpdir(), "docker-machine-vbox-"));
  const bin = path.join(folder, "bin");
  await mkdir(bin);
  const program = path.join(bin, "VBoxManage");
  await writeFile(program, script(tree, id));
  await chmod(program, 0o755);
  await command("ip", ["netns", "add", id]);
  const inNamespace = async (...args: readonly string[]): Promise<string> => await command("ip", ["-n", id, ...args]);
  await inNamespace("link", "add", "vboxnet0", "type", "veth", "peer", "name", "cable0");
  for (const name of ["lo", "vboxnet0", "cable0"]) await inNamespace("link", "set", name, "up");
  const home = path.join(folder, "configuration");
  const env = {
    ...{ HOME: folder, LC_ALL: "C.UTF-8", VBOX_USER_HOME: home, VBOX_IPC_SOCKETID: id },
    PATH: `${bin}:${process.env["PATH"]}`,
  };
  return {
    folder,
    env,
    run: async (...args) => await command(program, args, { env }),
    setInterface: async (cidr) => {
      await inNamespace("addr", "flush", "dev", "vboxnet0");
      if (cidr !== "") await inNamespace("addr", "add", cidr, "dev", "vboxnet0");
    },
    restart: async () => await endServices(id),
    [Symbol.asyncDispose]: async () => {
      await endServices(id);
      await command("ip", ["netns", "del", id]);
      await rm(folder, { recursive: true, force: true });
      await rm(path.join(tmpdir(), `.vbox-${id}-ipc`), { recursive: true, force: true });
    },
  };
}

/** Temporary files have the same paths within the tree as outside. */
function script(tree: string, namespace: string): string {
  const temporary = tmpdir();
  const mounts = [
    `mkdir -p '${tree}${temporary}'`,
    `mount --rbind '${temporary}' '${tree}${temporary}'`,
    `mount --rbind /dev '${tree}/dev'`,
    `mount -t proc proc '${tree}/proc'`,
    `mount -t sysfs sysfs '${tree}/sys'`,
  ].join(" && ");
  const inside = `${mounts} && exec chroot '${tree}' /usr/lib/virtualbox/VBoxManage "$@"`;
  return `#!/bin/sh\nexec nsenter --net=/run/netns/${namespace} unshare --mount --propagation private sh -c '${inside.replaceAll("'", `'\\''`)}' sh "$@"\n`;
}

/** VirtualBox's service ends by itself after a while, and writes its configuration then. */
async function endServices(id: string): Promise<void> {
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/u.test(name))) {
    const [environment, line] = await Promise.all(
      ["environ", "cmdline"].map(async (file) => await readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "")),
    );
    const isOurs = environment?.split("\0").includes(`VBOX_IPC_SOCKETID=${id}`) && line?.includes("/usr/lib/virtualbox/VBox");
    if (isOurs !== true) continue;
    process.kill(Number(pid), "SIGTERM");
    await waitUntil(`VirtualBox's process ${pid} to end`, endMs, async () => (existsSync(`/proc/${pid}`) ? undefined : true));
  }
}
