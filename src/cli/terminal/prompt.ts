/** Questions on the terminal, asked as 0.16.2 asks them. */
import type { Streams } from "../cli-context.ts";

export interface Asking {
  readonly shownOn: "stdout" | "stderr";
  readonly unanswered: string;
}

/**
 * One word that begins with y or Y is a yes; an empty line and more words are a no. Undefined when nobody answers, and then
 * `unanswered` is written behind the question.
 */
export async function confirm(
  question: string,
  streams: Streams,
  signal: AbortSignal,
  { shownOn, unanswered }: Asking = { shownOn: "stdout", unanswered: "" },
): Promise<boolean | undefined> {
  streams[shownOn].write(`${question} (y/n): `);
  const line = await streams.stdin.readLine(signal);
  if (line === undefined) {
    streams[shownOn].write(unanswered);
    return undefined;
  }
  const words = line.trim().split(/\s+/u);
  return words.length === 1 && words[0]?.toLowerCase().startsWith("y") === true;
}

/** The line that is typed, or undefined when nobody answers. */
export async function askLine(
  question: string,
  streams: Streams,
  signal: AbortSignal,
  shownOn: Asking["shownOn"],
): Promise<string | undefined> {
  streams[shownOn].write(`${question}: `);
  const line = await streams.stdin.readLine(signal);
  if (line === undefined) streams[shownOn].write("\n");
  return line;
}

/** Asks on standard error, so that piped output stays clean; undefined without a terminal or at the end of input. */
export async function askSecret(question: string, streams: Streams, signal: AbortSignal): Promise<string | undefined> {
  if (!streams.stdin.isTerminal) return undefined;
  try {
    return await streams.stdin.readSecretLine(signal, () => streams.stderr.write(question));
  } finally {
    streams.stderr.write("\n");
  }
}
