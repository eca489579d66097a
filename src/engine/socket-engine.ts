/**
 * Questions to an engine behind a Unix socket of this computer, as one that leads to a machine over SSH: no TLS, and no
 * address of its own. Knows nothing of what carries the socket.
 */
import { connect, type Socket } from "node:net";
import { MachineError, messageOf } from "../errors/machine-error.ts";
import { formatBound } from "../system/time-text.ts";
import type { EngineVersion } from "./engine-client.ts";
import { AnswerReader, type Answer } from "./answer-reader.ts";

export interface SocketQuestion {
  readonly socketPath: string;
  /** How messages name the engine: `the engine of "web"`. */
  readonly label: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Sees an engine answer, whose words do not matter. Throws as {@link askSocket}. */
export async function pingSocket(question: SocketQuestion): Promise<void> {
  await ask("/_ping", question, (answer) => answer.hasHead);
}

/** After the question, while it is not answered. */
const nudgesMs = [5, 10, 20, 40, 80];

/**
 * As {@link pingSocket}, of a socket whose connections are channels of an SSH connection that has just logged in. sshd gathers
 * small packets (Nagle's algorithm): its word about the first channel waits until its words before are acknowledged, which the
 * system here puts off by 40 ms unless there is something to send. Connections that ask nothing are that.
 */
export async function pingForwardedSocket(question: SocketQuestion): Promise<void> {
  const sockets: Socket[] = [];
  const nudge = (): void => void sockets.push(connect({ path: question.socketPath }).on("error", () => {}));
  const timers = nudgesMs.map((ms) => setTimeout(nudge, ms));
  try {
    await pingSocket(question);
  } finally {
    for (const timer of timers) clearTimeout(timer);
    for (const socket of sockets) socket.destroy();
  }
}

/** Throws `engine-unreachable` where nobody answers in HTTP, `engine-timeout`, or the signal's reason. */
export async function askSocket(path: string, question: SocketQuestion): Promise<Answer> {
  return await ask(path, question, (answer) => answer.isWhole);
}

/** @param isEnough where the rest need not be waited for: over SSH the end of a connection may come 40 ms behind what was said */
async function ask(
  path: string,
  { socketPath, label, timeoutMs, signal }: SocketQuestion,
  isEnough: (answer: AnswerReader) => boolean,
): Promise<Answer> {
  signal.throwIfAborted();
  const socket = connect({ path: socketPath });
  return await new Promise<Answer>((resolve, reject) => {
    const answer = new AnswerReader();
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      socket.destroy();
      finish();
    };
    const fail = (error: unknown): void => settle(() => reject(error));
    const abort = (): void => fail(signal.reason);
    const timer = setTimeout(
      () => fail(new MachineError("engine-timeout", `${label} did not answer within ${formatBound(timeoutMs)}`)),
      timeoutMs,
    );
    signal.addEventListener("abort", abort, { once: true });
    socket.once("connect", () => socket.write(`GET ${path} HTTP/1.0\r\nHost: docker\r\nUser-Agent: docker-machine\r\n\r\n`));
    socket.on("data", (chunk: Buffer) => {
      answer.add(chunk);
      if (isEnough(answer) || answer.isTooLong) finish();
    });
    socket.on("error", (error) =>
      fail(new MachineError("engine-unreachable", `${label} cannot be reached: ${messageOf(error)}`)),
    );
    socket.once("close", finish);

    function finish(): void {
      const parsed = answer.isEmpty ? undefined : answer.parse();
      if (parsed !== undefined && parsed.status !== 0 && !answer.isTooLong) settle(() => resolve(parsed));
      else fail(new MachineError("engine-unreachable", `${label} does not answer`));
    }
  });
}

/** Throws as {@link askSocket}. */
export async function socketEngineVersion(question: SocketQuestion): Promise<EngineVersion> {
  const { status, body } = await askSocket("/version", question);
  try {
    const version = JSON.parse(body) as Partial<EngineVersion> | null;
    if (status === 200 && typeof version?.Version === "string") return { ...version, Version: version.Version };
  } catch {
    // It is told below.
  }
  throw new MachineError(
    "engine-unreachable",
    `${question.label} answered GET /version with status ${status} and names no version`,
  );
}
