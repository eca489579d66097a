/**
 * A machine's engine behind a Unix socket of this computer, over one SSH connection. Its connections are forwarded as
 * channels of their own, which servers do not count as sessions; where forwarding is refused, or root's rights are needed,
 * each is a command on the machine that hands its streams to the engine's socket.
 */
import * as path from "node:path";
import type { Duplex } from "node:stream";
import { guestCommand } from "../../driver-kit/share-ticket.ts";
import { pingForwardedSocket, pingSocket, type SocketQuestion } from "../../engine/socket-engine.ts";
import { isMachineError, MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import type { SshExecutor } from "../../ssh/executor.ts";
import { openKeptFolder } from "../../ssh/kept-folder.ts";
import { runScript } from "../../ssh/root-script.ts";
import { SocketRelay } from "../../ssh/socket-relay.ts";
import type { MachineContext } from "../machine-context.ts";
import type { Host } from "./host.ts";
import { sudoPasswordOf } from "./sudo-password.ts";

export interface EngineSocket extends AsyncDisposable {
  /** Of the socket. Only the user may enter its folder. */
  readonly path: string;
  /** The connection that carries it. */
  readonly ssh: SshExecutor;
}

const remoteSocket = "/var/run/docker.sock";

/** sshd allows 10 sessions of a connection (MaxSessions); what else goes over it needs some. */
const streamsAtOnce = 8;

/**
 * Opens the connection and sees the engine answer. Throws what connecting throws, `engine-unreachable`, `sudo-required`,
 * and `program-missing` where nothing on the machine could hand streams to the socket.
 */
export async function openEngineSocket(context: MachineContext, host: Host, signal: AbortSignal): Promise<EngineSocket> {
  if (context.computer.os === "windows") {
    throw new MachineError("driver-unsupported", "An engine cannot be reached over SSH from Windows yet", {
      hint: `Run docker on the machine: docker-machine ssh ${host.name} docker ps`,
    });
  }
  const closers: AsyncDisposable[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).toReversed()) await closer[Symbol.asyncDispose]();
  };
  try {
    const ssh = await host.openSsh();
    closers.push(ssh);
    return { path: await openOver(context, host, ssh, closers, signal), ssh, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    const isShutOut = isMachineError(error, "ssh-authentication") && host.module.capabilities.guest === true;
    throw isShutOut ? (await import("./not-running.ts")).shutOut(host, error) : error;
  }
}

/** Gives `work` the path of the socket, over a connection that is there. */
export async function withEngineSocket<T>(
  context: MachineContext,
  host: Host,
  ssh: SshExecutor,
  signal: AbortSignal,
  work: (socketPath: string) => Promise<T>,
): Promise<T> {
  const closers: AsyncDisposable[] = [];
  try {
    return await work(await openOver(context, host, ssh, closers, signal));
  } finally {
    for (const closer of closers.toReversed()) await closer[Symbol.asyncDispose]();
  }
}

/** What is opened besides is put into `closers`. */
async function openOver(
  context: MachineContext,
  host: Host,
  ssh: SshExecutor,
  closers: AsyncDisposable[],
  signal: AbortSignal,
): Promise<string> {
  const questionAt = (socketPath: string): SocketQuestion => ({
    socketPath,
    label: labelOf(host),
    timeoutMs: context.timeouts.engineRequestMs,
    signal,
  });
  try {
    if (ssh.forwardSocket !== undefined && host.module.capabilities.guest !== true) {
      const forwarded = await ssh.forwardSocket(remoteSocket, signal);
      await pingForwardedSocket(questionAt(forwarded));
      return forwarded;
    }
  } catch (error) {
    if (!isMachineError(error, "engine-unreachable") && !isMachineError(error, "ssh-closed")) throw error;
    logTo(host.report, "debug", `The engine's socket is not to be had by forwarding: ${error.message}`);
  }
  // A guest's streams are the first that is heard of the machine, and what opening them throws is lost in the relay.
  await ssh.connect(signal);
  const folder = await openKeptFolder(context.computer, context.processes);
  closers.push(folder);
  const relayed = path.join(folder.path, "relay.sock");
  closers.push(await relay(context, host, ssh, relayed, signal));
  await pingSocket(questionAt(relayed));
  return relayed;
}

export function labelOf({ name }: Pick<Host, "name">): string {
  return `The engine of "${name}"`;
}

async function relay(
  context: MachineContext,
  host: Host,
  ssh: SshExecutor,
  socketPath: string,
  signal: AbortSignal,
): Promise<SocketRelay> {
  const isGuest = host.module.capabilities.guest === true;
  const way = isGuest ? undefined : await findWay(context, host, ssh, signal);
  const password = way?.rights === "password" ? await requirePassword(context, host) : undefined;
  const command =
    way === undefined ? guestCommand : `${rightsWords[way.rights]}sh -c 'echo; ${programWords[way.program]}; ${linger}'`;
  logTo(host.report, "debug", `Connections to the engine of "${host.name}" go through: ${command}`);
  return await SocketRelay.listen({
    socketPath,
    atMost: streamsAtOnce,
    open: async () => await openReady(ssh, command, password, signal),
    onFailure: (error) => {
      if (isMachineError(error)) logTo(host.report, "debug", error.message);
    },
  });
}

/** dropbear drops a command now and then where others end at the same time; nothing has been sent to one that never began. */
const attempts = 5;

/** A stream whose command has said, by an empty line, that it is there. Throws `ssh-closed`. */
async function openReady(ssh: SshExecutor, command: string, password: string | undefined, signal: AbortSignal): Promise<Duplex> {
  if (ssh.openStream === undefined) throw new TypeError("A connection that carries commands alone");
  for (let attempt = 1; ; attempt += 1) {
    try {
      const stream = await ssh.openStream(command, signal);
      if (password !== undefined) stream.write(`${password}\n`);
      if (await saysReady(stream)) return stream;
      stream.destroy();
      if (attempt === attempts) throw new MachineError("ssh-closed", `The machine ended a command at once: ${command}`);
    } catch (error) {
      if (!isMachineError(error, "ssh-closed") || attempt === attempts) throw error;
    }
  }
}

/** Takes the empty line off the stream; false where that ends before. */
async function saysReady(stream: Duplex): Promise<boolean> {
  return await new Promise((resolve) => {
    const settle = (isReady: boolean): void => {
      stream.off("data", onData).off("close", onClose).off("end", onClose).pause();
      resolve(isReady);
    };
    const onClose = (): void => settle(false);
    const onData = (chunk: Buffer): void => {
      // What comes with it is the engine's already.
      if (chunk.length > 1) stream.unshift(chunk.subarray(1));
      settle(true);
    };
    stream.on("data", onData).once("close", onClose).once("end", onClose);
    stream.on("error", () => settle(false));
  });
}

/** In words that every login shell reads alike. */
const rightsWords = { user: "", sudo: "sudo -n ", doas: "doas -n ", password: "sudo -k -S -p '' " } as const;

/** What hands its standard streams to a Unix socket; the engine's own client knows best when one side has ended. */
const programWords = {
  docker: `docker -H unix://${remoteSocket} system dial-stdio`,
  socat: `socat -t 3600 - UNIX-CONNECT:${remoteSocket}`,
  nc: `nc -U ${remoteSocket}`,
} as const;

/** dropbear drops what a command wrote last where that ends at once. */
const linger = "sleep 0.2 2> /dev/null || sleep 1";

interface Way {
  readonly rights: keyof typeof rightsWords;
  readonly program: keyof typeof programWords;
}

const lookForWay = `
LC_ALL=C; export LC_ALL
say() { printf '\\n@%s\\t%s\\n' "$1" "$2"; }
socket=${remoteSocket}
if [ ! -e "$socket" ]; then say socket absent
elif [ -r "$socket" ] && [ -w "$socket" ]; then say rights user
else
  rights=none
  if command -v sudo > /dev/null 2>&1; then
    answer=$(sudo -k -n sh -c : 2>&1) && rights=sudo
    case $rights$answer in none*assword*|none*authentication*) rights=password ;; esac
  fi
  [ "$rights" != none ] || { command -v doas > /dev/null 2>&1 && doas -n true 2> /dev/null && rights=doas; }
  say rights "$rights"
  say user "$(id -un)"
fi
if docker system dial-stdio --help > /dev/null 2>&1; then say program docker
elif command -v socat > /dev/null 2>&1; then say program socat
elif nc -h 2>&1 | grep -q -- -U; then say program nc
else say program none; fi`;

async function findWay(context: MachineContext, host: Host, ssh: SshExecutor, signal: AbortSignal): Promise<Way> {
  const { stdout } = await runScript(ssh, lookForWay, { timeoutMs: context.timeouts.queryMs, signal });
  const said = new Map(
    [...stdout.toString("utf8").matchAll(/^@(\w+)\t(.*)$/gmu)].map(([, key = "", value = ""]) => [key, value]),
  );
  if (said.get("socket") === "absent") {
    throw new MachineError("engine-unreachable", `There is no ${remoteSocket} on "${host.name}": its engine does not run`, {
      hint: `See why with: docker-machine doctor ${host.name}`,
    });
  }
  const [rights, program] = [said.get("rights"), said.get("program")];
  if (rights === undefined || !Object.hasOwn(rightsWords, rights)) throw noRights(host, said.get("user") ?? "the user");
  if (program === undefined || !Object.hasOwn(programWords, program)) throw noProgram(host);
  return { rights: rights as Way["rights"], program: program as Way["program"] };
}

function noRights({ name }: Host, user: string): MachineError {
  return new MachineError("sudo-required", `${user} on "${name}" may not use the engine's socket, and cannot become root`, {
    hint: `Take the user into the group docker on the machine: sudo usermod -aG docker ${user}`,
  });
}

function noProgram({ name }: Host): MachineError {
  return new MachineError(
    "program-missing",
    `The SSH server of "${name}" forwards no sockets, and no program there can stand in for that`,
    { hint: "Allow AllowStreamLocalForwarding in its sshd_config, or install the docker client, socat or netcat-openbsd there." },
  );
}

async function requirePassword(context: MachineContext, host: Host): Promise<string> {
  const password = await sudoPasswordOf(context, host);
  if (password === undefined) {
    throw new MachineError("sudo-required", `sudo on "${host.name}" asks for a password, and none is recorded`, {
      hint: "Take the user into the group docker on the machine, or allow sudo without a password (NOPASSWD) there.",
    });
  }
  return password;
}
