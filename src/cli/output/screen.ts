/**
 * The two output streams with a footer below them: lines scroll above, the footer is redrawn in place. Without a
 * footer it writes straight through. Knows cursor moves; nothing of machines or events.
 */
import type { Streams } from "../cli-context.ts";

export type StreamName = "stdout" | "stderr";

export class Screen {
  readonly #streams: Streams;
  #footer: readonly string[] = [];
  #footerStream: StreamName = "stdout";
  /** Lines that stand on the terminal now. */
  #drawnLines = 0;
  #suspensions = 0;

  constructor(streams: Streams) {
    this.#streams = streams;
  }

  write(name: StreamName, data: string | Uint8Array): void {
    this.#erase();
    this.#streams[name].write(data);
    this.#draw();
  }

  /** Replaces the footer; no lines removes it. The stream must be a terminal. */
  setFooter(name: StreamName, lines: readonly string[]): void {
    this.#erase();
    this.#footer = lines;
    this.#footerStream = name;
    this.#draw();
  }

  /** Takes the footer away while something else talks to the terminal. */
  async withoutFooter<Result>(action: () => Promise<Result>): Promise<Result> {
    this.#erase();
    this.#suspensions += 1;
    try {
      return await action();
    } finally {
      this.#suspensions -= 1;
      this.#draw();
    }
  }

  /** Takes the footer away for good: nothing of it stays where the program ends at once. */
  close(): void {
    this.#erase();
    this.#suspensions = Number.POSITIVE_INFINITY;
  }

  #draw(): void {
    if (this.#suspensions > 0 || this.#footer.length === 0) return;
    const stream = this.#streams[this.#footerStream];
    const lines = fitLines(this.#footer, stream.rows).map((line) => fit(line, stream.columns));
    stream.write(`${lines.join("\n")}\n`);
    this.#drawnLines = lines.length;
  }

  #erase(): void {
    if (this.#drawnLines === 0) return;
    this.#streams[this.#footerStream].write(`\u001B[${this.#drawnLines}A\r\u001B[J`);
    this.#drawnLines = 0;
  }
}

/** The cursor cannot go back above the first row of the terminal. */
function fitLines(lines: readonly string[], rows: number): readonly string[] {
  const shown = Math.max(rows - 2, 1);
  return lines.length <= shown ? lines : [...lines.slice(0, shown - 1), `... and ${lines.length - shown + 1} more`];
}

/** A line that wrapped would not be counted when the cursor goes back up. Who gives colours has cut it already. */
function fit(line: string, columns: number): string {
  if (line.includes("\u001B")) return line;
  const characters = Array.from(line);
  return characters.length < columns ? line : characters.slice(0, Math.max(columns - 1, 0)).join("");
}
