/**
 * Streams in memory. Output is kept as written; a terminal's also as the rows a person would see, by the few control
 * sequences that the screen uses.
 */
import type { OutputStream } from "../../system/process-output.ts";
import type { InputStream, KeyListener, Streams } from "../cli-context.ts";

const escape = "\u001B";
/** Cursor moves, line ends, and the text between them. */
const pieces = new RegExp(`${escape}\\[\\d*[AJ]|\\n|\\r|[^${escape}\\n\\r]+`, "gu");

export class FakeOutput implements OutputStream {
  text = "";
  readonly isTerminal: boolean;
  readonly columns: number;
  readonly rows: number;
  isUnread = false;

  constructor(options: { isTerminal?: boolean; columns?: number; rows?: number } = {}) {
    this.isTerminal = options.isTerminal ?? false;
    this.columns = options.columns ?? 80;
    this.rows = options.rows ?? 24;
  }

  write(data: string | Uint8Array): void {
    this.text += typeof data === "string" ? data : Buffer.from(data).toString();
  }

  /** The rows on the terminal now. */
  visible(): string[] {
    const rows: string[] = [];
    let row = 0;
    for (const [part] of this.text.matchAll(pieces)) {
      if (part === "\n") row += 1;
      else if (part.startsWith(escape) && part.endsWith("A")) row -= Number(part.slice(2, -1));
      else if (part === `${escape}[J`) rows.length = Math.min(rows.length, row);
      else if (part !== "\r") rows[row] = (rows[row] ?? "") + part;
    }
    return Array.from(rows, (line) => line ?? "");
  }
}

export class FakeInput implements InputStream {
  readonly isTerminal: boolean;
  /** Who hears of keys, while somebody does. */
  listener: KeyListener | undefined;
  readonly #lines: string[];

  constructor(lines: readonly string[] = [], isTerminal = false) {
    this.#lines = [...lines];
    this.isTerminal = isTerminal;
  }

  async readLine(signal: AbortSignal): Promise<string | undefined> {
    signal.throwIfAborted();
    return this.#lines.shift();
  }

  readSecretLine(signal: AbortSignal, onHidden: () => void): Promise<string | undefined> {
    onHidden();
    return this.readLine(signal);
  }

  async takeKeys(listener: KeyListener): Promise<() => void> {
    this.listener = listener;
    return () => void (this.listener = undefined);
  }
}

export interface FakeStreams extends Streams {
  readonly stdin: FakeInput;
  readonly stdout: FakeOutput;
  readonly stderr: FakeOutput;
}

export function fakeStreams(
  options: { isTerminal?: boolean; input?: readonly string[]; columns?: number; rows?: number } = {},
): FakeStreams {
  return {
    stdin: new FakeInput(options.input, options.isTerminal),
    stdout: new FakeOutput(options),
    stderr: new FakeOutput(options),
  };
}
