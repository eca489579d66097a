/**
 * The door of this folder: an executor for a target, and waiting until a machine can be reached. Which back end it is
 * makes no difference to whoever uses it.
 */
import { isMachineError, MachineError, messageOf } from "../errors/machine-error.ts";
import type { Clock } from "../system/clock.ts";
import type { ProcessRunner } from "../system/process.ts";
import { poll, within, type Attempt } from "../system/waiting.ts";
import type { SshBackend, SshExecutor, SshTarget } from "./executor.ts";
import type { SshContext } from "./ssh-context.ts";
import { SshUnreachableError, type UnreachableReason } from "./ssh-errors.ts";
import { formatBound } from "../system/time-text.ts";

export type { SshContext } from "./ssh-context.ts";

/** OpenSSH where it is installed, unless the user wants the native one. */
export async function chooseSshBackend(native: boolean, processes: Pick<ProcessRunner, "find">): Promise<SshBackend> {
  return native || (await processes.find("ssh")) === undefined ? "native" : "openssh";
}

/** An executor that connects with its first command, or with `connect`. The caller closes it. Throws `usage`. */
export async function openSshExecutor(backend: SshBackend, target: SshTarget, context: SshContext): Promise<SshExecutor> {
  if (backend === "openssh") {
    const { OpenSshExecutor } = await import("./openssh-executor.ts");
    return new OpenSshExecutor(target, context);
  }
  if (target.configHost !== undefined) {
    throw new MachineError("usage", `"${target.configHost}" is an entry of ssh_config, which only the OpenSSH client reads`, {
      hint: "Install the OpenSSH client, or run the command without --native-ssh.",
    });
  }
  const { NativeSshExecutor } = await import("./native-executor.ts");
  return new NativeSshExecutor(target, context);
}

export interface WaitForSshOptions {
  /** Makes an executor for the machine as it is now: its address may become known, or change, while we wait. */
  readonly open: () => Promise<SshExecutor>;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** A login that is refused may be one that is not set up yet: true for new machines, false for adopted ones. */
  readonly retryAuthentication: boolean;
  /**
   * The machine is there already: what says that it is not is believed after {@link hopelessMs}, and not waited for longer. Its
   * login is enough: that commands run is shown by the first one. One that comes up may let its user in before it runs them.
   */
  readonly isUp?: boolean | undefined;
  /** Pause between two attempts; 500 by default. */
  readonly pollMs?: number | undefined;
  /** Told of each failed attempt, and for how long in all what went wrong is borne. */
  readonly onAttempt?: ((error: unknown, boundMs: number) => void) | undefined;
}

/** A name server that hiccups, a server that restarts. Who is not there then will not come. */
export const hopelessMs = 10_000;

/** What an SSH server that is to be there does not do: waiting does not mend it. */
const hopeless: ReadonlySet<UnreachableReason> = new Set(["unknown-host", "refused", "not-ssh", "no-common-algorithm"]);

/** Between logins that are refused, and after a server that has counted too many: sshd's penalties grow with each. */
const refusedPauseMs = 5_000;

/**
 * Waits until a command runs on the machine, of one that is up until it lets its user in, and gives the executor that did it. What waiting cannot mend ends it at
 * once: a wrong host key, an unusable key file. Throws `timeout` with the last error as its cause.
 */
export async function waitForSsh(options: WaitForSshOptions): Promise<SshExecutor> {
  const { clock, signal, timeoutMs: ms } = options;
  const startedMs = clock.monotonicMs();
  const ask = async ({ remainingMs, last, note }: Attempt): Promise<SshExecutor | undefined> => {
    // A login takes time: when that is up, nothing new would be learnt.
    if (remainingMs === 0 && last !== undefined) return undefined;
    const attempt = await attemptLogin(options, remainingMs);
    if ("executor" in attempt) return attempt.executor;
    if (!mayPass(attempt.error, options.retryAuthentication)) throw attempt.error;
    const boundMs = isHopeless(attempt.error, options.isUp ?? false) ? Math.min(hopelessMs, ms) : ms;
    if (boundMs < ms && clock.monotonicMs() - startedMs >= boundMs) throw attempt.error;
    options.onAttempt?.(attempt.error, boundMs);
    if (isRefusal(attempt.error)) await clock.sleep(Math.min(refusedPauseMs, remainingMs), signal);
    // That our own time was up says less than what was wrong the time before.
    if (last === undefined || !isMachineError(attempt.error, "timeout")) note(attempt.error);
    return undefined;
  };
  return await poll({ ms, clock, signal }, options.pollMs ?? 500, ask, (last) => neverReady(ms, last));
}

type LoginAttempt = { readonly executor: SshExecutor } | { readonly error: unknown };

async function attemptLogin(options: WaitForSshOptions, remainingMs: number): Promise<LoginAttempt> {
  let executor: SshExecutor | undefined;
  try {
    executor = await options.open();
    await logIn(executor, options, remainingMs);
    return { executor };
  } catch (error) {
    await executor?.close();
    return { error };
  }
}

async function logIn(executor: SshExecutor, { isUp, clock, signal }: WaitForSshOptions, ms: number): Promise<void> {
  if (isUp !== true) await executor.run("exit 0", { timeoutMs: ms, signal });
  else await within({ ms, clock, signal }, async (bound) => await executor.connect(bound), "The login did not complete");
}

function mayPass(error: unknown, retryAuthentication: boolean): boolean {
  if (isMachineError(error, "ssh-authentication")) return retryAuthentication;
  return isMachineError(error, "ssh-unreachable") || isMachineError(error, "ssh-closed") || isMachineError(error, "timeout");
}

function isHopeless(error: unknown, isUp: boolean): boolean {
  if (!(error instanceof SshUnreachableError)) return false;
  return error.reason === "unknown-host" || (isUp && hopeless.has(error.reason));
}

function isRefusal(error: unknown): boolean {
  if (isMachineError(error, "ssh-authentication")) return true;
  return error instanceof SshUnreachableError && error.reason === "refused-for-now";
}

function neverReady(timeoutMs: number, last: unknown): MachineError {
  return new MachineError(
    "timeout",
    `SSH did not become available within ${formatBound(timeoutMs)}. Last error: ${messageOf(last)}`,
    {
      cause: last,
      hint: isMachineError(last) ? last.hint : undefined,
    },
  );
}
