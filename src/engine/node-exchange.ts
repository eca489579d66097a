/** A question to an engine by Node's own TLS, which tells what is wrong with an engine that gives no answer to it. */
import { isIP } from "node:net";
import * as tls from "node:tls";
import type { PeerCertificate, TLSSocket } from "node:tls";
import { certificatesIn } from "../system/certificate-glance.ts";
import { AnswerReader, brokenAnswer, questionText, type Answer } from "./answer-reader.ts";
import {
  IdentityError,
  explainBadCredentials,
  explainClose,
  explainDialError,
  refusedCertificate,
  explainTimeout,
} from "./dial-error.ts";
import type { DialStage } from "./engine-timeout-error.ts";
import type { EngineAddress } from "./engine-address.ts";
import { bears } from "./machine-identity.ts";
import type { ClientCredentials, ExchangeOptions } from "./exchange.ts";
import { objectionTo } from "./peer-trust.ts";

/**
 * Asks with GET and gives the answer. Throws `engine-unreachable`, `engine-timeout`, `engine-certificate`,
 * `certificate-invalid` for credentials that are of no use, or the signal's reason.
 */
export async function exchangeByNode(
  address: EngineAddress,
  credentials: ClientCredentials,
  path: string,
  options: ExchangeOptions,
): Promise<Answer> {
  options.signal?.throwIfAborted();
  // Without a CA the libraries would believe whomever the operating system believes.
  if (certificatesIn(credentials.ca).length === 0) throw explainBadCredentials(undefined);
  const socket = openSocket(address, credentials, options);
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
      const objection = objectionTo(socket.getPeerCertificate().raw, credentials.ca);
      if (objection !== undefined) return fail(refusedCertificate(objection));
      stage = "answer";
      socket.write(questionText(address, path));
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
