/** The package managers, run against programs that stand in for them. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { isMachineError, type MachineError } from "../../src/errors/machine-error.ts";
import type { ProgressEvent } from "../../src/log/event.ts";
import { families } from "../../src/provision/families/families.ts";
import { HostShell } from "../../src/provision/host/host-shell.ts";
import type { PackageManager } from "../../src/provision/install/package-manager.ts";
import { defaultBounds } from "../../src/provision/provision-context.ts";
import { changingPrelude } from "../../src/provision/scripts/configure-script.ts";
import { joinLines, sh, ShellText } from "../../src/provision/shell/shell-text.ts";
import { systemClock } from "../../src/system/clock.ts";
import { hostFacts } from "./host-facts.ts";
import { LocalExecutor } from "./shells.ts";
import type { StandIns } from "./stand-ins.ts";

const managerOf = (
  family: keyof typeof families,
  manager: "apt-get" | "dnf" | "yum" | "zypper" | "pacman" | "apk",
): PackageManager => {
  const choose = (families[family] as { manager?: (facts: ReturnType<typeof hostFacts>) => PackageManager }).manager;
  assert.ok(choose !== undefined);
  return choose(hostFacts({ packageManagers: [manager] }));
};

export const apt = managerOf("debian", "apt-get");
export const dnf = managerOf("redhat", "dnf");
export const yum = managerOf("redhat", "yum");
export const zypper = managerOf("suse", "zypper");
export const pacman = managerOf("arch", "pacman");
export const apk = managerOf("alpine", "apk");

export interface ManagerRun {
  readonly calls: readonly string[];
  readonly facts: (key: string) => readonly string[];
  readonly events: readonly ProgressEvent[];
  readonly error?: MachineError;
}

/** Runs a script against stand-ins, with this program's folder on the host moved into the scratch folder. */
export async function runManager(
  standIns: StandIns,
  manager: PackageManager,
  body: ShellText,
  lockMs = defaultBounds.packageLockMs,
  mayRemove = true,
): Promise<ManagerRun> {
  const events: ProgressEvent[] = [];
  const ssh = new LocalExecutor({ PATH: `${standIns.folder}:${process.env["PATH"]}` });
  const shell = new HostShell("web", {
    ssh,
    clock: systemClock,
    report: (event) => events.push(event),
    signal: new AbortController().signal,
  });
  shell.become({ kind: "root" });
  const prelude = changingPrelude({ record: false, machineName: "web", mayRemove }, { ...defaultBounds, packageLockMs: lockMs });
  const script = joinLines(prelude, manager.functions, sh`continued=`, body, sh`finish_run; end`).text;
  mkdirSync(`${standIns.folder}/state`, { recursive: true });
  const moved = new ShellText(script.replaceAll("/var/lib/docker-machine", `${standIns.folder}/state`));
  try {
    const answer = await shell.runAsRoot(moved, { timeoutMs: 20_000 });
    return { calls: standIns.calls, facts: (key) => answer.facts.all(key), events };
  } catch (error) {
    assert.ok(isMachineError(error), String(error));
    return { calls: standIns.calls, facts: () => [], events, error };
  }
}
