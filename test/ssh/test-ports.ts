/** Ports and targets for tests: this computer's, with a temporary folder and events that can be looked at. */
import type { ProgressEvent } from "../../src/log/event.ts";
import { currentPlatform } from "../../src/system/host-platform.ts";
import { SystemProcessRunner } from "../../src/system/process.ts";
import type { HostKeyPolicy, SshTarget } from "../../src/ssh/executor.ts";
import type { SshPorts } from "../../src/ssh/ports.ts";
import type { TestServer } from "./real-servers.ts";

export interface TestPorts extends SshPorts {
  readonly events: ProgressEvent[];
}

/** The environment is this process's without an agent, plus what is given. */
export function testPorts(env: Readonly<Record<string, string | undefined>> = {}): TestPorts {
  const current = currentPlatform();
  const platform = { ...current, env: { ...current.env, SSH_AUTH_SOCK: undefined, ...env } };
  const events: ProgressEvent[] = [];
  return { platform, processes: new SystemProcessRunner(platform), report: (event) => void events.push(event), events };
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
