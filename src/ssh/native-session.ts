/**
 * A session of the native back end on this process's own terminal or pipes: raw mode, window size, and every byte as it
 * is. The terminal is as it was before when this returns, however it ends.
 */
import type { ClientChannel, PseudoTtyOptions } from "ssh2";
import type { SshSessionOptions } from "./executor.ts";
import type { TerminalStreams } from "./ports.ts";

/** The terminal to ask the server for; undefined for none. */
export function describeTerminal(
  options: SshSessionOptions,
  { stdin, stdout }: TerminalStreams,
  termVariable: string | undefined,
): PseudoTtyOptions | undefined {
  const wanted = { force: true, yes: stdin.isTTY, no: false, auto: stdin.isTTY && options.command === undefined };
  if (!wanted[options.terminal]) return undefined;
  return { term: termVariable ?? "xterm", rows: stdout.rows ?? 24, cols: stdout.columns ?? 80 };
}

/** Connects the streams and resolves when the channel and our output are done. */
export async function connectStreams(channel: ClientChannel, streams: TerminalStreams, hasTerminal: boolean): Promise<void> {
  const { stdin, stdout, stderr } = streams;
  const restore = hasTerminal ? [rawMode(stdin), followWindow(channel, stdout)] : [];
  const onOutputClosed = (): void => channel.close();
  stdout.once("error", onOutputClosed);
  try {
    const output = [pump(channel, stdout), pump(channel.stderr, stderr)];
    stdin.pipe(channel);
    await Promise.all(output);
  } finally {
    stdin.unpipe(channel);
    stdin.pause();
    stdout.removeListener("error", onOutputClosed);
    for (const undo of restore) undo();
  }
}

/** Copies until the source ends, at the pace of the slower side, and waits for what is still on its way out. */
async function pump(source: NodeJS.ReadableStream, sink: NodeJS.WriteStream): Promise<void> {
  await new Promise<void>((resolve) => {
    source.once("close", resolve);
    source.pipe(sink, { end: false });
  });
  await new Promise<void>((resolve) => {
    if (sink.writable) sink.write("", () => resolve());
    else resolve();
  });
}

function rawMode(stdin: NodeJS.ReadStream): () => void {
  if (!stdin.isTTY) return () => {};
  const before = stdin.isRaw;
  stdin.setRawMode(true);
  return () => stdin.setRawMode(before);
}

function followWindow(channel: ClientChannel, stdout: NodeJS.WriteStream): () => void {
  const onResize = (): void => channel.setWindow(stdout.rows ?? 24, stdout.columns ?? 80, 0, 0);
  stdout.on("resize", onResize);
  return () => stdout.removeListener("resize", onResize);
}
