/** Cuts a stream of bytes into lines. A line without end is handed on in pieces, so that memory stays bounded. */
import { StringDecoder } from "node:string_decoder";

export class LineSplitter {
  readonly #onLine: (line: string, isWhole: boolean) => void;
  readonly #longest: number;
  readonly #decoder = new StringDecoder("utf8");
  #partial = "";
  #isWhole = true;

  /**
   * @param onLine gets each line as it completes, without its line feed and a carriage return before that; of a line
   * that is too long it gets each piece, and is told that it is none.
   * @param longest what a line may have, in UTF-16 units; 1 Mi by default.
   */
  constructor(onLine: (line: string, isWhole: boolean) => void, longest = 1024 * 1024) {
    this.#onLine = onLine;
    this.#longest = longest;
  }

  push(chunk: Uint8Array): void {
    const lines = this.#decoder.write(chunk).split("\n");
    const rest = lines.pop() ?? "";
    for (const line of lines) this.#complete(line);
    this.#append(rest);
  }

  /** No more will come: what is left is a line too. */
  end(): void {
    this.#append(this.#decoder.end());
    if (this.#partial !== "") this.#complete("");
  }

  #complete(end: string): void {
    this.#append(end);
    this.#onLine(this.#partial.endsWith("\r") ? this.#partial.slice(0, -1) : this.#partial, this.#isWhole);
    this.#partial = "";
    this.#isWhole = true;
  }

  #append(text: string): void {
    this.#partial += text;
    while (this.#partial.length > this.#longest) {
      this.#isWhole = false;
      this.#onLine(this.#partial.slice(0, this.#longest), false);
      this.#partial = this.#partial.slice(this.#longest);
    }
  }
}
