/** What SSH costs with either back end, measured against sshd on loopback. Run by itself, or by the project's bench. */
import { openSshExecutor } from "../../src/ssh/connect.ts";
import type { SshBackend } from "../../src/ssh/executor.ts";
import { startSshd, whyNot, type TestServer } from "./real-servers.ts";
import { targetOn, sshTestContext } from "./ssh-test-context.ts";

export interface Measurement {
  readonly what: string;
  readonly ms: number;
}

const connections = 5;
const commands = 40;

/** Undefined where sshd cannot be started. */
export async function measureSsh(): Promise<readonly Measurement[] | undefined> {
  if (whyNot("sshd") !== undefined) return undefined;
  const server = await startSshd();
  try {
    const found: Measurement[] = [];
    for (const backend of ["openssh", "native"] as const) found.push(...(await measureBackend(backend, server)));
    return found;
  } finally {
    await server.stop();
  }
}

async function measureBackend(backend: SshBackend, server: TestServer): Promise<Measurement[]> {
  const firstMs = await timed(() => connectOnce(backend, server, "first"));
  const connectMs = await median(connections, () => connectOnce(backend, server, "first"));
  await using ssh = await openSshExecutor(backend, targetOn(server, { hostKeys: { alias: "first" } }), sshTestContext());
  await ssh.connect();
  const commandMs = await median(commands, () => ssh.run("true"));
  const bytes = new Uint8Array(32 << 20);
  const copyMs = await median(3, () => ssh.run("cat >/dev/null", { stdin: bytes }));
  return [
    { what: `${backend}: first contact, connect and close`, ms: firstMs },
    { what: `${backend}: connect and close, key pinned`, ms: connectMs },
    { what: `${backend}: one command`, ms: commandMs },
    { what: `${backend}: 32 MiB to standard input`, ms: copyMs },
  ];
}

async function connectOnce(backend: SshBackend, server: TestServer, alias: string): Promise<void> {
  const target = targetOn(server, { hostKeys: { alias: `${alias}-${backend}` } });
  await using ssh = await openSshExecutor(backend, target, sshTestContext());
  await ssh.connect();
}

async function median(times: number, work: () => Promise<unknown>): Promise<number> {
  const samples: number[] = [];
  for (let left = times; left > 0; left -= 1) samples.push(await timed(work));
  return samples.sort((a, b) => a - b)[Math.floor(times / 2)] ?? 0;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

if (import.meta.main) {
  for (const { what, ms } of (await measureSsh()) ?? []) console.log(`${ms.toFixed(1).padStart(8)} ms  ${what}`);
}
