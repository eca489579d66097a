/** Cuts what a program prints into lines. A line without end is handed on in pieces, so that memory stays bounded. */
import { StringDecoder } from "node:string_decoder";

export class LineSplitter {
  readonly #onLine: (line: string) => void;
  readonly #maxLength: number;
  readonly #decoder = new StringDecoder("utf8");
  #partial = "";

  constructor(onLine: (line: string) => void, maxLength = 1024 * 1024) {
    this.#onLine = onLine;
    this.#maxLength = maxLength;
  }

  push(chunk: Buffer): void {
    const lines = (this.#partial + this.#decoder.write(chunk)).split("\n");
    this.#partial = lines.pop() ?? "";
    for (const line of lines) this.#emit(line);
    while (this.#partial.length > this.#maxLength) {
      this.#emit(this.#partial.slice(0, this.#maxLength));
      this.#partial = this.#partial.slice(this.#maxLength);
    }
  }

  /** No more will come: what is left is a line too. */
  end(): void {
    const rest = this.#partial + this.#decoder.end();
    this.#partial = "";
    if (rest !== "") this.#emit(rest);
  }

  #emit(line: string): void {
    this.#onLine(line.endsWith("\r") ? line.slice(0, -1) : line);
  }
}
