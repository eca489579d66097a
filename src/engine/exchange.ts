/**
 * One question and one answer over TLS: HTTP/1.0, whose answer ends with the connection, so that it can be read without
 * an HTTP library; loading one would cost more than the question. Knows nothing of what is asked.
 */
import { isIP } from "node:net";
import type * as TlsModule from "node:tls";
import type { PeerCertificate, TLSSocket } from "node:tls";
import { MachineError } from "../errors/machine-error.ts";
import {
  IdentityError,
  explainBadCredentials,
  explainClose,
  explainDialError,
  refusedCertificate,
  explainTimeout,
  type DialStage,
} from "./dial-error.ts";
import { formatHostPort, type EngineAddress } from "./engine-address.ts";

/** PEM texts: the CA that the engine must be of, and what the client shows. */
export interface ClientCredentials {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface ExchangeOptions {
  /** Bound on everything: connecting, handshake, answer. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** The name that the engine's certificate must be for, where that is not the host of the address. */
  readonly serverName?: string | undefined;
  /** A name that will do as well: the machine's own, which outlives a change of address. */
  readonly machineName?: string | undefined;
}

export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** No answer that is asked for here comes near that size. */
const maxAnswerBytes = 8 * 1024 * 1024;

/**
 * Asks with GET and gives the answer. Throws `engine-unreachable`, `engine-timeout`, `engine-certificate`,
 * `certificate-invalid` for credentials that are of no use, or the signal's reason.
 */
export async function exchange(
  address: EngineAddress,
  credentials: ClientCredentials,
  path: string,
  options: ExchangeOptions,
): Promise<Answer> {
  const [tls, trust] = await Promise.all([import("node:tls"), import("./peer-trust.ts")]);
  options.signal?.throwIfAborted();
  // Without a CA the libraries would believe whomever the operating system believes.
  if (trust.certificatesIn(credentials.ca).length === 0) throw explainBadCredentials(undefined);
  const socket = openSocket(tls, address, credentials, options);
  return await new Promise((resolve, reject) => {
    let stage: DialStage = "connecting";
    const answer = new AnswerReader();
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", abort);
      socket.destroy();
      finish();
    };
    const fail = (error: unknown): void => settle(() => reject(error));
    const abort = (): void => fail(options.signal?.reason);
    const timer = setTimeout(() => fail(explainTimeout(address, stage, options.timeoutMs)), options.timeoutMs);
    options.signal?.addEventListener("abort", abort, { once: true });
    socket.once("connect", () => (stage = "handshake"));
    socket.once("secureConnect", () => {
      const objection = trust.objectionTo(socket.getPeerCertificate().raw, credentials.ca);
      if (objection !== undefined) return fail(refusedCertificate(objection));
      stage = "answer";
      socket.write(`GET ${path} HTTP/1.0\r\nHost: ${formatHostPort(address)}\r\nUser-Agent: docker-machine\r\n\r\n`);
    });
    socket.on("data", (chunk: Buffer) => {
      answer.add(chunk);
      if (answer.isTooLong) fail(brokenAnswer(address, path, "is too long"));
      else if (answer.isWhole) settle(() => resolve(answer.parse()));
    });
    socket.on("error", (error) => fail(explainDialError(error, address, stage)));
    socket.once("close", () => {
      if (answer.isEmpty) fail(explainClose(address, stage));
      else if (answer.mayEnd) settle(() => resolve(answer.parse()));
      else fail(brokenAnswer(address, path, "broke off"));
    });
  });
}

function openSocket(
  tls: typeof TlsModule,
  address: EngineAddress,
  credentials: ClientCredentials,
  { serverName, machineName }: Pick<ExchangeOptions, "serverName" | "machineName">,
): TLSSocket {
  const name = serverName ?? address.host;
  const isAddress = isIP(name) !== 0;
  const checkServerIdentity = (_host: string, certificate: PeerCertificate): Error | undefined => {
    if (tls.checkServerIdentity(name, certificate) === undefined || bears(certificate, machineName)) return undefined;
    return new IdentityError(name, isAddress, certificate.subjectaltname ?? "");
  };
  try {
    return tls.connect({ ...address, ...credentials, ...(isAddress ? {} : { servername: name }), checkServerIdentity });
  } catch (error) {
    throw explainBadCredentials(error);
  }
}

/** To the letter: `web.` and `Web` are other machines than `web`, and a wildcard is no machine. */
function bears({ subjectaltname = "" }: PeerCertificate, machineName: string | undefined): boolean {
  return machineName !== undefined && subjectaltname.split(", ").includes(`DNS:${machineName}`);
}

/** The error of an engine that answers, but not as an engine does. */
export function brokenAnswer(address: EngineAddress, path: string, complaint: string, cause?: unknown): MachineError {
  return new MachineError("engine-unreachable", `The answer of ${formatHostPort(address)} to GET ${path} ${complaint}`, {
    cause,
    hint: "Something else than a Docker Engine may be listening there.",
  });
}

/** An HTTP/1.0 answer as it comes in. */
export class AnswerReader {
  #bytes = Buffer.alloc(0);
  #bodyStart: number | undefined;
  #head = "";

  add(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    if (this.#bodyStart !== undefined) return;
    const end = this.#bytes.indexOf("\r\n\r\n");
    if (end < 0) return;
    this.#bodyStart = end + 4;
    this.#head = this.#bytes.toString("latin1", 0, end);
  }

  get isEmpty(): boolean {
    return this.#bytes.length === 0;
  }

  get isTooLong(): boolean {
    return this.#bytes.length > maxAnswerBytes;
  }

  /** The announced length is there. */
  get isWhole(): boolean {
    const announced = this.#announcedLength();
    return announced !== undefined && this.#bytes.length - (this.#bodyStart ?? 0) >= announced;
  }

  /** Nothing says that more was to come. */
  get mayEnd(): boolean {
    return this.#bodyStart !== undefined && (this.#announcedLength() === undefined || this.isWhole);
  }

  parse(): Answer {
    const body = this.#bytes.subarray(this.#bodyStart).toString("utf8");
    return { status: Number(/^HTTP\/1\.[01] (\d{3})/u.exec(this.#head)?.[1] ?? 0), headers: this.#headers(), body };
  }

  #announcedLength(): number | undefined {
    const length = this.#headers().get("content-length");
    return length === undefined ? undefined : Number(length);
  }

  #headers(): Map<string, string> {
    const lines = this.#head.split("\r\n").slice(1);
    return new Map(
      lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
    );
  }
}
