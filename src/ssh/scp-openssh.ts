/**
 * Copying with OpenSSH's scp, or rsync over ssh. Over SFTP, scp itself decides what is written where; its old protocol
 * leaves that to the machine, and is left to `scp-legacy.ts`.
 */
import { createInterface } from "node:readline";
import { MachineError } from "../errors/machine-error.ts";
import { withCopyProgram, type CopyProgram, type ErrorWatch, type Machine } from "./copy-program.ts";
import { mostEntries } from "./copy-bounds.ts";
import { copyByOldProtocol, mayChooseNames, refuseOldProtocol } from "./scp-legacy.ts";
import type { CopyRequest } from "./scp-request.ts";
import { noisyShell, silentSftp } from "./sftp-greeting.ts";
import type { SshContext } from "./ssh-context.ts";

/** Throws `copy-failed`, `program-missing`, and what connecting throws. */
export async function copyWithScp(request: CopyRequest, context: SshContext): Promise<void> {
  await withCopyProgram("scp", request, context, async (scp) => {
    if (request.legacy !== true && !scp.knowsSftp && mayChooseNames(request)) await copyInProcess(request, context);
    else if (request.legacy === true || !scp.knowsSftp || !(await copyOverSftp(scp))) await copyByOldProtocol(scp);
  });
}

/** For clients before 8.7. Throws `program-missing` where only the OpenSSH client finds the way to the machine. */
async function copyInProcess(request: CopyRequest, context: SshContext): Promise<void> {
  if ([request.source, request.destination].some(({ target }) => target?.configHost !== undefined)) {
    throw new MachineError("program-missing", "The scp of this computer is older than OpenSSH 8.7 and cannot use SFTP", {
      hint: "Update the OpenSSH client, or add --legacy: what arrives is then looked at before it is put where it belongs.",
    });
  }
  const { copyWithSftp } = await import("./scp-native.ts");
  await copyWithSftp(request, context);
}

/** Throws as {@link copyWithScp}, and `usage` for two machines: rsync runs on one of the two ends itself. */
export async function copyWithRsync(request: CopyRequest, context: SshContext): Promise<void> {
  if (request.source.target !== undefined && request.destination.target !== undefined) {
    throw new MachineError("usage", "rsync cannot copy from one machine to another", {
      hint: "Run the command without --delta.",
    });
  }
  await withCopyProgram("rsync", request, context, async (rsync) => {
    const flags = [
      // Paths go to the other side as they are, and not through its shell.
      "--protect-args",
      ...(request.quiet ? ["-q"] : ["--progress"]),
      ...(request.recursive ? ["-r"] : []),
      ...(request.preserve === true ? ["-pt"] : []),
    ];
    const { source, destination } = rsync;
    await rsync.run(["-e", `ssh -F ${rsync.configFile}`, ...flags, "--", source.location(), destination.location()]);
  });
}

/** Throws for a machine that does not answer, and for one whose shell talks in between. */
async function allSpeakSftp(scp: CopyProgram): Promise<boolean> {
  const machines = [scp.source.machine, scp.destination.machine].filter((machine) => machine !== undefined);
  return (await Promise.all(machines.map(async (machine) => await speaksSftp(machine, scp)))).every(Boolean);
}

async function speaksSftp({ target, executor }: Machine, { request }: CopyProgram): Promise<boolean> {
  const name = target.hostKeys.alias;
  const greeting = await executor.greetSftp(() => silentSftp(name, target.connectTimeoutMs), request.signal);
  if (greeting.kind === "noise") throw noisyShell(name, greeting.text);
  if (greeting.kind === "none") refuseOldProtocol(request, name);
  return greeting.kind === "sftp";
}

/**
 * False where a machine speaks no SFTP, and nothing was copied. scp begins while it is asked for that: where there is none,
 * it would say so in words of its own, or wait for ever. So its words are held back until the answer is known.
 */
async function copyOverSftp(scp: CopyProgram): Promise<boolean> {
  const { request, source, destination } = scp;
  const counting = request.recursive && source.machine !== undefined;
  const args = ["-3", "-s", "-F", scp.configFile, ...scp.flags, ...(counting ? ["-vv"] : [])];
  const words = new HeldWords();
  const inVain = new AbortController();
  const asking = allSpeakSftp(scp);
  asking.then(
    (speak) => (speak ? words.release() : inVain.abort()),
    (error: unknown) => inVain.abort(error),
  );
  const signals = request.signal === undefined ? [inVain.signal] : [inVain.signal, request.signal];
  const watch: ErrorWatch = (stderr, show, stop) =>
    watchLines(stderr, (line) => words.take(line, show), counting ? stop : undefined);
  try {
    await scp.run([...args, "--", source.location(), destination.location()], watch, AbortSignal.any(signals));
    words.release();
    return true;
  } catch (error) {
    request.signal?.throwIfAborted();
    if (!(await asking)) return false;
    throw error;
  }
}

/** Lines that are shown once it is known that they count. */
class HeldWords {
  #held: (() => void)[] | undefined = [];

  take(line: string, show: (line: string) => void): void {
    if (this.#held === undefined) show(line);
    else this.#held.push(() => show(line));
  }

  release(): void {
    for (const tell of this.#held ?? []) tell();
    this.#held = undefined;
  }
}

/** Where a server allows no second session, ssh says so, and connects on its own. */
const aside = /^mux_client_/u;

/** What scp, which may name itself by its whole path, and its ssh say at `-vv` beside their words for people. */
const chatter =
  /^$|^(?:.*?scp(?:\.exe)?: )?debug\d: |^Executing: |^OpenSSH_|^Transferred: sent|^Bytes per second: |^Executing: program |^Exit status |^Sending file modes: /u;
const fetching = /^(?:.*?scp(?:\.exe)?: )?debug2: (?:\w+: )?(?:download|crossload) (?:remote|dir remote|local) /u;

/**
 * scp bounds the depth of folders itself, not their number: counts what it says that it fetches.
 * @param stop ends it; undefined where it does not say what it fetches, nor anything else that is not for people
 */
function watchLines(
  stderr: NodeJS.ReadableStream,
  show: (line: string) => void,
  stop: ((reason: Error) => void) | undefined,
): void {
  let entries = 0;
  createInterface({ input: stderr }).on("line", (line) => {
    if (stop !== undefined && fetching.test(line) && ++entries > mostEntries)
      stop(new MachineError("copy-failed", `The machine shows more than ${mostEntries} files and folders`));
    if (!aside.test(line) && (stop === undefined || !chatter.test(line))) show(`${line}\n`);
  });
}
