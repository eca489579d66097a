/** Ports and targets for tests: this computer's, with a temporary folder and events that can be looked at. */
import type { ProgressEvent } from "../../src/log/event.ts";
import { systemClock } from "../../src/system/clock.ts";
import { thisComputer } from "../../src/system/computer.ts";
import { SystemProcessRunner } from "../../src/system/process.ts";
import type { HostKeyPolicy, SshTarget } from "../../src/ssh/executor.ts";
import type { SshContext } from "../../src/ssh/ssh-context.ts";
import type { TestServer } from "./real-servers.ts";

export interface SshTestContext extends SshContext {
  readonly events: ProgressEvent[];
}

/** The environment is this process's without an agent, plus what is given. */
export function sshTestContext(env: Readonly<Record<string, string | undefined>> = {}): SshTestContext {
  const current = thisComputer();
  const computer = { ...current, env: { ...current.env, SSH_AUTH_SOCK: undefined, ...env } };
  const events: ProgressEvent[] = [];
  return {
    computer,
    processes: new SystemProcessRunner(computer),
    clock: systemClock,
    report: (event) => void events.push(event),
    events,
  };
}

/** A target on a server, its key pinned on first contact under a name of its own. */
export function targetOn(
  server: Pick<TestServer, "hostName" | "port" | "userName" | "identityFile" | "folder">,
  changes: Partial<Omit<SshTarget, "hostKeys">> & { readonly hostKeys?: Partial<HostKeyPolicy> } = {},
): SshTarget {
  const { hostName, port, userName, identityFile, folder } = server;
  const alias = changes.hostKeys?.alias ?? "web";
  return {
    hostName,
    port,
    userName,
    identityFile,
    connectTimeoutMs: 20_000,
    ...changes,
    hostKeys: { knownHostsFile: `${folder}/known-hosts-${alias}`, alias, unknown: "trust-first-use", ...changes.hostKeys },
  };
}
