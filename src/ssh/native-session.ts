/**
 * A session of the native back end on this process's own terminal or pipes: raw mode, window size, and every byte as it
 * is. The terminal is as it was before when this returns, however it ends.
 */
import { once } from "node:events";
import type { ClientChannel, PseudoTtyOptions } from "ssh2";
import type { ProcessRunner } from "../system/process.ts";
import type { SshSessionOptions } from "./executor.ts";
import type { SshContext, TerminalStreams } from "./ssh-context.ts";

function terminalOf(context: SshContext): TerminalStreams {
  return context.terminal ?? process;
}

/** The terminal to ask the server for; undefined for none. */
export function describeTerminal(options: SshSessionOptions, context: SshContext): PseudoTtyOptions | undefined {
  const { stdin, stdout } = terminalOf(context);
  const wanted = { force: true, yes: stdin.isTTY, no: false, auto: stdin.isTTY && options.command === undefined };
  if (!wanted[options.terminal]) return undefined;
  return { term: context.computer.env["TERM"] ?? "xterm", rows: stdout.rows ?? 24, cols: stdout.columns ?? 80 };
}

/** Connects the streams and resolves when the channel and our output are done. */
export async function connectStreams(channel: ClientChannel, context: SshContext, hasTerminal: boolean): Promise<void> {
  const { stdin, stdout, stderr } = terminalOf(context);
  const restore = hasTerminal ? [await rawMode(stdin, context.processes), followWindow(channel, stdout)] : [];
  try {
    const output = [pump(channel, channel, stdout), pump(channel, channel.stderr, stderr)];
    stdin.pipe(channel);
    await Promise.all(output);
  } finally {
    stdin.unpipe(channel);
    stdin.pause();
    for (const undo of restore) undo();
  }
}

/**
 * Copies until the source ends, at the pace of the slower side, and waits for what is still on its way out. When nobody
 * reads our output any more, the channel is closed and the rest discarded.
 */
async function pump(channel: ClientChannel, source: NodeJS.ReadableStream, sink: NodeJS.WriteStream): Promise<void> {
  const onSinkGone = (): void => {
    channel.close();
    source.resume();
  };
  sink.on("error", onSinkGone);
  await new Promise<void>((resolve) => {
    source.once("close", resolve);
    source.pipe(sink, { end: false });
  });
  if (sink.writable) await new Promise<void>((resolve) => void sink.write("", () => resolve()));
  sink.removeListener("error", onSinkGone);
}

/**
 * Every key goes to the remote side as it is, and its output is left alone: setRawMode keeps turning line feeds into
 * carriage return and line feed, which full-screen programs that move down by a line feed do not survive.
 */
async function rawMode(stdin: NodeJS.ReadStream, processes: ProcessRunner): Promise<() => void> {
  if (!stdin.isTTY) return () => {};
  const before = stdin.isRaw;
  stdin.setRawMode(true);
  const stty = processes.spawn("stty", ["-opost"], { stdio: ["inherit", "ignore", "ignore"] });
  // Without stty (Windows) there is nothing to turn off.
  await Promise.race([once(stty, "exit"), once(stty, "error")]).catch(() => {});
  return () => stdin.setRawMode(before);
}

function followWindow(channel: ClientChannel, stdout: NodeJS.WriteStream): () => void {
  const onResize = (): void => channel.setWindow(stdout.rows ?? 24, stdout.columns ?? 80, 0, 0);
  stdout.on("resize", onResize);
  return () => stdout.removeListener("resize", onResize);
}
