/**
 * A host behind an SSH connection, by what its scripts answer: facts for the first look, and whatever a test has them
 * say for the others. Knows the protocol of scripts (`provision/shell/script-protocol.ts`) and runs nothing.
 */
import type { SshExecutor, SshResult, SshRunOptions } from "../ssh/executor.ts";

/** A Debian of today whose engine was installed and never configured. */
export const debianFacts: readonly (readonly [key: string, value: string])[] = [
  ["user", "root"],
  ["privilege", "root"],
  ["seen-as", "0"],
  ["os-release", "ID=debian"],
  ["os-release", 'VERSION_ID="12"'],
  ["os-release", 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"'],
  ["architecture", "x86_64"],
  ["kernel", "6.1.0"],
  ["init", "systemd"],
  ["systemd-version", "systemd 252"],
  ["cgroups", "v2"],
  ["hostname", "fresh"],
  ["package-manager", "apt-get"],
  ["dockerd", "/usr/sbin/dockerd"],
  ["docker", "/usr/bin/docker"],
  ["containerd", "/usr/bin/containerd"],
  ["engine-version", "Docker version 20.10.24+dfsg1, build 297e128"],
  ["engine-package", "docker.io"],
  ["unit", "LoadState=loaded"],
  ["unit", "ActiveState=active"],
  ["unit", "UnitFileState=enabled"],
  ["unit", "MainPID=321"],
  ["unit-path", "/lib/systemd/system/docker.service"],
  ["unit-file:/lib/systemd/system/docker.service", "[Service]"],
  ["unit-file:/lib/systemd/system/docker.service", "ExecStart=/usr/sbin/dockerd -H fd://"],
];

/** `greeting` is a command without a script: whether anybody answers. */
export type ScriptKind = "greeting" | "look" | "first-boot" | "new-host-keys" | "use-host-keys" | "install" | "configure";

/** What a script says: facts, and after them a failure or nothing. */
export interface ScriptSays {
  readonly facts?: readonly (readonly [key: string, value: string])[] | undefined;
  readonly fail?: { readonly code: string; readonly message: string } | undefined;
}

export class FakeSshExecutor implements SshExecutor {
  /** Kinds of scripts in the order they ran. */
  readonly scripts: ScriptKind[] = [];
  /** What scripts of a kind say, one after the other; the last one again and again. Throwing breaks the connection. */
  readonly says = new Map<ScriptKind, readonly (() => ScriptSays | Promise<ScriptSays>)[]>();
  roundTrips = 0;

  async connect(): Promise<void> {}

  async run(_command: string, options: SshRunOptions = {}): Promise<SshResult> {
    options.signal?.throwIfAborted();
    this.roundTrips += 1;
    const kind = kindOf(String(options.stdin ?? ""));
    const turn = this.scripts.filter((one) => one === kind).length;
    this.scripts.push(kind);
    const answers = this.says.get(kind) ?? [];
    const { facts = kind === "look" ? debianFacts : [], fail } = (await (answers[turn] ?? answers.at(-1))?.()) ?? {};
    const lines = ["@begin\t\t", ...facts.map(([key, value]) => `@fact\t${key}\t${value}`)];
    lines.push(fail === undefined ? "@end\t\t" : `@fail\t${fail.code}\t${fail.message}`);
    const stdout = Buffer.from(lines.map((line) => `${line}\n`).join(""));
    options.onStdout?.(stdout);
    return { status: fail === undefined ? 0 : 1, stdout, stderr: Buffer.alloc(0) };
  }

  async session(): Promise<number> {
    return 0;
  }

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** By what only that script does. */
function kindOf(script: string): ScriptKind {
  if (script === "") return "greeting";
  if (script.includes("probe_all()")) return "look";
  if (script.includes("cloud-init status --wait")) return "first-boot";
  if (script.includes('ssh-keygen -q -t "$type"')) return "new-host-keys";
  if (script.includes('mv -f "machine_host_')) return "use-host-keys";
  return script.includes("copying-certificates") ? "configure" : "install";
}
