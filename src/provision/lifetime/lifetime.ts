/**
 * A machine's time to live, as its host keeps it: files that power it off at a deadline, or once nothing has used it. Pure:
 * facts and request in, files out.
 */
import { MachineError } from "../../errors/machine-error.ts";
import { formatInstant } from "../../system/time-text.ts";
import { withBlock, withoutBlock, type HostFile } from "../engine/engine-files.ts";
import type { HostFacts } from "../facts/facts.ts";
import { lifetimePaths } from "../shell/own-files.ts";
import type { Lifetime, ProvisionRequest } from "../provision-request.ts";
import { lifetimeScript } from "./lifetime-script.ts";

export interface LifetimePlan {
  readonly files: readonly (HostFile & { readonly change: "create" | "replace" | "same" })[];
  readonly removals: readonly string[];
  /** Who runs it. */
  readonly by: "systemd" | "cron";
  /** For people: what the files bring about. */
  readonly words: string;
}

/** Undefined where nothing is wanted, and nothing is there. Throws `os-unsupported` where nothing would run it. */
export function planLifetime(facts: HostFacts, request: ProvisionRequest): LifetimePlan | undefined {
  const { lifetime, machineName } = request;
  if (lifetime === undefined) return withdrawal(facts);
  const by = runnerOf(facts, machineName);
  const script: HostFile = {
    path: lifetimePaths.script,
    mode: "0755",
    content: lifetimeScript({ ...lifetime, ports: portsOf(facts, request.engine.port) }),
  };
  const files = [script, ...(by === "systemd" ? systemdFiles(lifetime) : [cronFile(facts)])];
  return { files: files.map((file) => ({ ...file, change: changeOf(file, facts) })), removals: [], by, words: wordsOf(lifetime) };
}

function changeOf(file: HostFile, { ownFiles }: HostFacts): "create" | "replace" | "same" {
  const present = ownFiles.get(file.path);
  return present === undefined ? "create" : present === file.content ? "same" : "replace";
}

/** SSH's as this connection came in by it. */
function portsOf({ sshPort }: HostFacts, enginePort: number | undefined): readonly number[] {
  return [sshPort ?? 22, enginePort].filter((port) => port !== undefined);
}

function runnerOf(facts: HostFacts, label: string): LifetimePlan["by"] {
  if (facts.init === "systemd") return "systemd";
  if (facts.init === "none") {
    throw new MachineError("os-unsupported", `No init system runs on ${label}, so that nothing there could end its time`, {
      hint: "Leave out --ttl and --idle.",
    });
  }
  if (facts.cron !== undefined) return "cron";
  throw new MachineError("os-unsupported", `No cron daemon runs on ${label}, which would have to end its time`, {
    hint: "Start one on the machine and run the command again; with OpenRC: rc-update add crond && rc-service crond start",
  });
}

function withdrawal(facts: HostFacts): LifetimePlan | undefined {
  const { crontab, script, timer } = lifetimePaths;
  if (!facts.ownFiles.has(script)) return undefined;
  const by = facts.ownFiles.has(timer) ? "systemd" : "cron";
  const table = facts.ownFiles.get(crontab);
  const freed = table === undefined ? undefined : withoutBlock(table);
  return {
    files: freed === undefined || freed === table ? [] : [{ path: crontab, mode: "0600", content: freed, change: "replace" }],
    removals: [lifetimePaths.timer, lifetimePaths.service, lifetimePaths.cronEntry, script].filter((path) =>
      facts.ownFiles.has(path),
    ),
    by,
    words: "it is powered off at no deadline any more",
  };
}

/** How often the script looks. */
function periodSeconds({ graceSeconds }: Lifetime): number {
  return Math.max(1, Math.min(60, Math.floor(graceSeconds / 4)));
}

function systemdFiles(lifetime: Lifetime): readonly HostFile[] {
  const period = periodSeconds(lifetime);
  const calendar = lifetime.deadline === undefined ? "" : `OnCalendar=${formatInstant(lifetime.deadline)}\n`;
  return [
    {
      path: lifetimePaths.service,
      mode: "0644",
      content: `[Unit]
Description=Looks whether the time of this machine is over (docker-machine)

[Service]
Type=oneshot
ExecStart=/bin/sh ${lifetimePaths.script}
LogLevelMax=notice
`,
    },
    {
      path: lifetimePaths.timer,
      mode: "0644",
      content: `[Unit]
Description=Ends the time of this machine (docker-machine)

[Timer]
${calendar}OnBootSec=${period}
OnUnitInactiveSec=${period}
AccuracySec=1s

[Install]
WantedBy=timers.target
`,
    },
  ];
}

/** busybox has one table for each user, others a folder for what packages bring. */
function cronFile({ cron, ownFiles }: HostFacts): HostFile {
  const line = `/bin/sh ${lifetimePaths.script}`;
  if (cron === "cron.d") return { path: lifetimePaths.cronEntry, mode: "0644", content: `* * * * * root ${line}\n` };
  const table = ownFiles.get(lifetimePaths.crontab) ?? "";
  return { path: lifetimePaths.crontab, mode: "0600", content: withBlock(table, `* * * * * ${line}\n`) };
}

function wordsOf({ deadline, idleSeconds }: Lifetime): string {
  return [
    deadline === undefined ? [] : [`at ${formatInstant(deadline)}`],
    idleSeconds === undefined ? [] : [`after ${Math.round(idleSeconds / 60)} min without a container or a connection`],
  ]
    .flat()
    .join(", or ");
}

export function changesLifetime({ files, removals }: LifetimePlan): boolean {
  return removals.length > 0 || files.some((file) => file.change !== "same");
}
