/**
 * VBoxManage: where it is, how it is called, what its answers come to. Its status lies both ways, so a call has failed by its
 * status or by a line of error. What it starts outlives this program, and is given no more of the environment than it needs.
 */
import * as path from "node:path";
import { CliTool, type CliAnswer, type CliCall } from "../../driver-kit/cli-tool.ts";
import type { DriverContext } from "../../driver-kit/driver.ts";
import { failureKindOf, type Facts } from "../../driver-kit/provider-error.ts";
import { lockFile, type FileLock } from "../../system/file-lock.ts";
import { makePrivateDirectory } from "../../system/files.ts";
import type { Computer } from "../../system/computer.ts";
import { poll } from "../../system/waiting.ts";
import { codeIn, errorIn, explained, failuresOn } from "./failures.ts";
import { parseVersion, type Version } from "./listings.ts";
import { parseVmInfo, type VmInfo } from "./vm-info.ts";

/** Bound on a call that copies nothing. */
const callMs = 120_000;
/** A virtual machine stays locked for some time after its end. */
const lockedMs = 15_000;
const lockedPollMs = 500;
/** Bound on waiting for another docker-machine at work on what machines share. */
const sharedMs = 600_000;

const variables = [
  ...[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
  ],
  ...["VBOX_USER_HOME", "VBOX_IPC_SOCKETID", "VBOX_APP_HOME"],
  ...["SystemRoot", "SystemDrive", "windir", "TEMP", "TMP", "USERPROFILE", "USERNAME", "USERDOMAIN", "APPDATA", "LOCALAPPDATA"],
  ...["ProgramData", "ProgramFiles", "PATHEXT", "COMPUTERNAME"],
];

const installHints: Readonly<Record<Computer["os"], string>> = {
  linux:
    "Install it: sudo apt-get install virtualbox, or your distribution's package; else from https://www.virtualbox.org/wiki/Downloads.",
  darwin: "Install it: brew install --cask virtualbox, or from https://www.virtualbox.org/wiki/Downloads.",
  windows: "Install it: winget install Oracle.VirtualBox, or from https://www.virtualbox.org/wiki/Downloads.",
};

function programsOn({ os, env }: Computer): readonly string[] {
  const inFolders = (...folders: readonly (string | undefined)[]): readonly string[] =>
    folders.flatMap((folder) => (folder === undefined || folder === "" ? [] : [path.join(folder, "VBoxManage")]));
  switch (os) {
    case "linux":
      return ["VBoxManage", "/usr/lib/virtualbox/VBoxManage", "/opt/VirtualBox/VBoxManage"];
    case "darwin":
      return ["VBoxManage", "/Applications/VirtualBox.app/Contents/MacOS/VBoxManage"];
    case "windows":
      return [
        ...inFolders(env["VBOX_INSTALL_PATH"], env["VBOX_MSI_INSTALL_PATH"], "C:\\Program Files\\Oracle\\VirtualBox"),
        "VBoxManage",
      ];
  }
}

/** Where VirtualBox keeps what all machines of a user share. */
function userFolder({ os, env, homeDir }: Computer): string | undefined {
  const own = env["VBOX_USER_HOME"];
  if (own !== undefined && own !== "") return own;
  if (homeDir === undefined) return undefined;
  if (os === "linux") return path.join(env["XDG_CONFIG_HOME"] ?? path.join(homeDir, ".config"), "VirtualBox");
  return path.join(homeDir, os === "darwin" ? "Library/VirtualBox" : ".VirtualBox");
}

/** Undefined: there is none. `inaccessible`: its settings cannot be read. */
export type FoundVm = VmInfo | "inaccessible" | undefined;

export class VBoxManage {
  readonly #context: DriverContext;
  readonly #tool: CliTool;
  #version: Promise<string> | undefined;

  constructor(context: DriverContext) {
    this.#context = context;
    const { computer, processes, clock } = context;
    const known = Object.fromEntries(
      variables.map((name) => [name, computer.env[name]]).filter(([, value]) => value !== undefined),
    );
    // Its words are English then, and paths of all alphabets are still understood.
    const env = { ...known, LANG: "C.UTF-8", LC_ALL: "C.UTF-8" };
    this.#tool = new CliTool(
      {
        title: "VBoxManage",
        programs: programsOn(computer),
        installHint: installHints[computer.os],
        failures: failuresOn(computer.os),
        errorIn,
        codeIn,
      },
      { processes, clock, env },
    );
  }

  /** As {@link CliTool.run}, and again for a while where the machine is locked. Throws `disk-full` too. */
  async run(
    args: readonly string[],
    signal: AbortSignal,
    more: Partial<CliCall> & { readonly facts?: Facts } = {},
  ): Promise<CliAnswer> {
    const facts = { machine: this.#context.machineName, ...more.facts };
    const call = { timeoutMs: callMs, ...more, signal, facts };
    const patience = { ms: lockedMs, clock: this.#context.clock, signal };
    const attempt = async ({ note }: { note(seen: unknown): void }): Promise<CliAnswer | undefined> => {
      try {
        return await this.#tool.run(args, call);
      } catch (error) {
        if (failureKindOf(error) !== "busy") throw explained(error);
        note(error);
        return undefined;
      }
    };
    return await poll(patience, lockedPollMs, attempt, (busy) => busy);
  }

  /** Undefined for what is no version. Asked once. */
  async version(signal: AbortSignal): Promise<Version | undefined> {
    return parseVersion(await this.versionText(signal));
  }

  async versionText(signal: AbortSignal): Promise<string> {
    this.#version ??= this.run(["--version"], signal).then(({ stdout }) => stdout);
    return await this.#version;
  }

  /** What VirtualBox has under this id. */
  async find(uuid: string, signal: AbortSignal): Promise<FoundVm> {
    try {
      return parseVmInfo((await this.run(["showvminfo", uuid, "--machinereadable"], signal)).stdout);
    } catch (error) {
      signal.throwIfAborted();
      if (failureKindOf(error) === "not-found") return undefined;
      if (failureKindOf(error) === "permission") return "inaccessible";
      throw error;
    }
  }

  /** Held by one docker-machine at a time, of whatever store, for work on what all machines of this user share. */
  async lockShared(signal: AbortSignal): Promise<FileLock> {
    const { computer, cacheDir, clock, machineName } = this.#context;
    const folder = userFolder(computer) ?? cacheDir;
    await makePrivateDirectory(folder);
    return await lockFile(path.join(folder, "docker-machine.lock"), {
      what: "VirtualBox's host-only networks",
      purpose: `set up a network for "${machineName}"`,
      waitMs: sharedMs,
      signal,
      clock,
    });
  }
}
