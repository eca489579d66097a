/** `exec`: one command on a machine, without a terminal and without input of the user's. No lock is taken. */
import { isMachineError } from "../errors/machine-error.ts";
import type { SshExecutor } from "../ssh/executor.ts";
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

/**
 * SIGTERM for what else the server has started for this connection, which was opened for one command: sshd makes each of them the
 * leader of its processes, and is the parent of all. What got away from them, or became root by sudo, goes on.
 */
const endOthers = `sh -c '
p=$PPID
case $(cat /proc/$p/comm) in sshd*|dropbear*) ;; *) p=$(cut -d" " -f4 /proc/$p/stat) ;; esac
case $(cat /proc/$p/comm) in sshd*|dropbear*) ;; *) exit ;; esac
for each in /proc/[0-9]*; do
  read -r pid name state parent group rest < $each/stat || continue
  [ "$parent" = "$p" ] && [ "$pid" != $$ ] && [ "$pid" != $PPID ] || continue
  [ "$group" = "$pid" ] && kill -TERM "-$pid" || kill -TERM "$pid"
done' 2> /dev/null`;

/** For a machine that is asked to end what nobody waits for any more. */
const endingMs = 5_000;

/** As far as that can be done in a moment: who has pressed Ctrl-C waits for nothing. */
async function endWhatRuns(ssh: SshExecutor): Promise<void> {
  await ssh.run(endOthers, { timeoutMs: endingMs }).catch(() => {});
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
  const { status, stdout, stderr } = await ssh
    .run(command, {
      // Without any, a program that reads its input would wait for the user's.
      stdin: stdin ?? "",
      timeoutMs,
      signal,
      onStdout: (chunk) => onOutput?.("stdout", chunk),
      onStderr: (chunk) => onOutput?.("stderr", chunk),
    })
    .catch(async (error: unknown) => {
      if (signal.aborted || isMachineError(error, "timeout")) await endWhatRuns(ssh);
      throw error;
    });
  await keepPublished(context, host);
  return { name, status, stdout: stdout.toString("utf8"), stderr: stderr.toString("utf8") };
}
