/** A machine on a host of the lab, all of whose ways lead through relays in the test's own process. */
import { writeFile } from "node:fs/promises";
import * as path from "node:path";
import type { LabHost } from "../lab/lab.ts";
import { openUnrulyProxy, type ProxyTarget, type UnrulyProxy } from "../lab/unruly-proxy.ts";
import { createArguments } from "./generic-flags.ts";
import type { Program } from "./program.ts";

export interface RelayedMachine extends AsyncDisposable {
  readonly ssh: UnrulyProxy;
  readonly engine: UnrulyProxy;
  /** Where the machine's SSH address leads; changed from outside. */
  readonly sshTarget: { address: string; port: number };
}

/** Creates the machine `web`. */
export async function createRelayedMachine(program: Program, host: LabHost): Promise<RelayedMachine> {
  const sshTarget = { address: host.address, port: host.sshPort };
  const engineTarget = { address: host.address, port: 0 };
  const ssh = await openUnrulyProxy(sshTarget, { kind: "none" });
  const engine = await openUnrulyProxy(engineTarget satisfies ProxyTarget, { kind: "none" });
  // The engine listens at the port that clients are told, on its own host.
  engineTarget.port = engine.port;
  const way = { ...host, address: ssh.address, sshPort: ssh.port };
  await program.ok(createArguments(way, "web", ...(await sudoFlags(program, host)), "--generic-engine-port", `${engine.port}`));
  return {
    ssh,
    engine,
    sshTarget,
    [Symbol.asyncDispose]: async () => void (await Promise.all([ssh.close(), engine.close()])),
  };
}

async function sudoFlags(program: Program, { sudoPassword }: LabHost): Promise<string[]> {
  if (sudoPassword === undefined) return [];
  const file = path.join(program.folder, "password");
  await writeFile(file, sudoPassword, { mode: 0o600 });
  return ["--generic-sudo-password-file", file];
}
