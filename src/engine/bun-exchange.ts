/**
 * A question to an engine by Bun's own sockets, which the executable has without loading anything: Node's, made anew there, cost
 * it more than the whole conversation. Gives an answer where everything is plainly right, and nothing otherwise: then the
 * question is asked again by Node's, which tell what is wrong.
 */
import { AnswerReader, questionText, type Answer } from "./answer-reader.ts";
import type { DialStage } from "./engine-timeout-error.ts";
import type { EngineAddress } from "./engine-address.ts";
import type { ClientCredentials, ExchangeOptions } from "./exchange.ts";
import { isPlainlyTrusted } from "./plain-trust.ts";

/** What of Bun's sockets is used here. */
interface BunSocket {
  write(data: string): number;
  terminate(): void;
  getPeerCertificate(): { readonly raw?: Uint8Array; readonly subjectaltname?: string } | undefined;
}

interface BunSocketHandler {
  open(): void;
  /** @param verifyError why the certificate is not believed; null where it is */
  handshake(socket: BunSocket, isDone: boolean, verifyError: Error | null): void;
  data(socket: BunSocket, bytes: Buffer): void;
  close(): void;
  error(): void;
  connectError(): void;
}

declare const Bun: {
  connect(options: {
    readonly hostname: string;
    readonly port: number;
    readonly tls: ClientCredentials & { readonly rejectUnauthorized: true; readonly serverName?: string };
    readonly socket: BunSocketHandler;
  }): Promise<BunSocket>;
};

/** Throws `engine-timeout`, or the signal's reason. */
export async function exchangeByBun(
  address: EngineAddress,
  credentials: ClientCredentials,
  path: string,
  options: ExchangeOptions,
): Promise<Answer | undefined> {
  const { timeoutMs, signal } = options;
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Answer | undefined>();
  let stage: DialStage = "connecting";
  const answer = new AnswerReader();
  const giveUp = (): void => resolve(undefined);
  const expire = async (): Promise<void> => {
    const { explainTimeout } = await import("./dial-error.ts");
    reject(explainTimeout(address, stage, timeoutMs));
  };
  const abort = (): void => reject(signal?.reason);
  const timer = setTimeout(() => void expire(), timeoutMs);
  signal?.addEventListener("abort", abort, { once: true });
  const connecting = connect(address, credentials, options, {
    open: () => void (stage = "handshake"),
    handshake(socket, isDone, verifyError) {
      if (!isDone || verifyError !== null || !isPlainlyIt(socket, address, credentials, options)) return giveUp();
      stage = "answer";
      socket.write(questionText(address, path));
    },
    data(_socket, bytes) {
      answer.add(bytes);
      if (answer.isTooLong) giveUp();
      else if (answer.isWhole) resolve(answer.parse());
    },
    close: () => resolve(stage === "answer" && answer.mayEnd ? answer.parse() : undefined),
    error: giveUp,
    connectError: giveUp,
  });
  connecting.catch(giveUp);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    // One that opens too late is ended then.
    connecting.then(
      (socket) => socket.terminate(),
      () => {},
    );
  }
}

/** Rejects credentials of no use. */
async function connect(
  { host, port }: EngineAddress,
  credentials: ClientCredentials,
  { serverName = host }: ExchangeOptions,
  socket: BunSocketHandler,
): Promise<BunSocket> {
  const name = isAddress(serverName) ? {} : { serverName };
  return await Bun.connect({ hostname: host, port, tls: { ...credentials, ...name, rejectUnauthorized: true }, socket });
}

/** Names and addresses are taken where they stand in the certificate to the letter. One for the machine's name alone is Node's case. */
function isPlainlyIt(
  socket: BunSocket,
  { host }: EngineAddress,
  { ca }: ClientCredentials,
  { serverName = host }: ExchangeOptions,
): boolean {
  const { raw, subjectaltname = "" } = socket.getPeerCertificate() ?? {};
  const wanted = isAddress(serverName) ? `IP Address:${serverName}` : `DNS:${serverName}`;
  return subjectaltname.split(", ").includes(wanted) && raw !== undefined && isPlainlyTrusted(raw, ca);
}

function isAddress(name: string): boolean {
  return name.includes(":") || /^[\d.]+$/u.test(name);
}
