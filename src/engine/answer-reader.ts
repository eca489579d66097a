/**
 * One question and its answer: HTTP/1.0, whose answer ends with the connection, so that it can be read without an HTTP library;
 * loading one would cost more than the question.
 */
import { MachineError } from "../errors/machine-error.ts";
import { formatHostPort, type EngineAddress } from "./engine-address.ts";

export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export function questionText(address: EngineAddress, path: string): string {
  return `GET ${path} HTTP/1.0\r\nHost: ${formatHostPort(address)}\r\nUser-Agent: docker-machine\r\n\r\n`;
}

/** The error of an engine that answers, but not as an engine does. */
export function brokenAnswer(address: EngineAddress, path: string, complaint: string, cause?: unknown): MachineError {
  return new MachineError("engine-unreachable", `The answer of ${formatHostPort(address)} to GET ${path} ${complaint}`, {
    cause,
    hint: "Something else than a Docker Engine may be listening there.",
  });
}

/** No answer that is asked for here comes near that size. */
const maxAnswerBytes = 8 * 1024 * 1024;

/** An HTTP/1.0 answer as it comes in. */
export class AnswerReader {
  #bytes = Buffer.alloc(0);
  #bodyStart: number | undefined;
  #head = "";
  #headers: ReadonlyMap<string, string> = new Map();
  /** Undefined while the head is not there, and where it announces none. */
  #announcedLength: number | undefined;

  add(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    if (this.#bodyStart !== undefined) return;
    const end = this.#bytes.indexOf("\r\n\r\n");
    if (end < 0) return;
    this.#bodyStart = end + 4;
    this.#head = this.#bytes.toString("latin1", 0, end);
    this.#headers = headersOf(this.#head);
    const announced = this.#headers.get("content-length");
    this.#announcedLength = announced === undefined ? undefined : Number(announced);
  }

  get isEmpty(): boolean {
    return this.#bytes.length === 0;
  }

  get isTooLong(): boolean {
    return this.#bytes.length > maxAnswerBytes;
  }

  /** Status and headers are there. */
  get hasHead(): boolean {
    return this.#bodyStart !== undefined;
  }

  /** The announced length is there. */
  get isWhole(): boolean {
    const announced = this.#announcedLength;
    return announced !== undefined && this.#bytes.length - (this.#bodyStart ?? 0) >= announced;
  }

  /** Nothing says that more was to come. */
  get mayEnd(): boolean {
    return this.#bodyStart !== undefined && (this.#announcedLength === undefined || this.isWhole);
  }

  parse(): Answer {
    const body = this.#bytes.subarray(this.#bodyStart).toString("utf8");
    return { status: Number(/^HTTP\/1\.[01] (\d{3})/u.exec(this.#head)?.[1] ?? 0), headers: this.#headers, body };
  }
}

function headersOf(head: string): ReadonlyMap<string, string> {
  const lines = head.split("\r\n").slice(1);
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]));
}
