/** `exec`: one command on a machine, without a terminal and without input of the user's. No lock is taken. */
import { openHost } from "./host/open-host.ts";
import type { MachineContext } from "./machine-context.ts";
import { keepPublished } from "./published/keep.ts";

export interface ExecRequest {
  /** A line of the shell that the machine's user has. */
  readonly command: string;
  readonly stdin?: Uint8Array | undefined;
  /** Bound on connecting and on the command. */
  readonly timeoutMs: number;
  /** Called as output comes. */
  readonly onOutput?: ((stream: "stdout" | "stderr", chunk: Uint8Array) => void) | undefined;
}

export interface ExecResult {
  readonly name: string;
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A status other than 0 is no error. Throws what connecting throws, and `timeout`. */
export async function execOnMachine(
  context: MachineContext,
  name: string,
  { command, stdin, timeoutMs, onOutput }: ExecRequest,
  signal: AbortSignal,
): Promise<ExecResult> {
  await using host = await openHost(context, name);
  await using ssh = await host.openSsh();
  const { status, stdout, stderr } = await ssh.run(command, {
    // Without any, a program that reads its input would wait for the user's.
    stdin: stdin ?? "",
    timeoutMs,
    signal,
    onStdout: (chunk) => onOutput?.("stdout", chunk),
    onStderr: (chunk) => onOutput?.("stderr", chunk),
  });
  await keepPublished(context, host);
  return { name, status, stdout: stdout.toString("utf8"), stderr: stderr.toString("utf8") };
}
