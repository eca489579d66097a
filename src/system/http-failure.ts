/**
 * Why a request got no answer. What Node and Bun throw is told by kind here, with the way out of each; whether anything
 * can have reached the other side decides about trying again.
 */
import type { ErrorCode } from "../errors/codes.ts";
import { isMachineError, MachineError, messageOf, systemCodeOf } from "../errors/machine-error.ts";

export type HttpFailureReason =
  /** No connection came about: nobody there, no route, a network that is down for now. Nothing was sent. */
  | "unreachable"
  /** The name stands for no address. Nothing was sent. */
  | "unknown-host"
  /** The proxy let nothing through. Nothing was sent. */
  | "proxy"
  /** The certificate is not believed. Nothing was sent. */
  | "certificate"
  /** The address may not be asked: plain http to another computer. Nothing was sent. */
  | "plain-http"
  /** The connection broke before the whole answer had come; the request may have been carried out. */
  | "broken"
  /** The answer did not come in time; the request may have been carried out. */
  | "late"
  /** The answer is larger than it may be; the request was carried out, or refused. */
  | "too-large";

/** A request without an answer. The message names the address without its query and credentials. */
export class HttpFailure extends MachineError {
  readonly reason: HttpFailureReason;
  /** What happened, without the address; goes on after it. */
  readonly detail: string;
  /** False: nothing of the request can have reached the other side, it may be sent again whatever it asks for. */
  readonly maybeSent: boolean;

  /** @param detail goes on after the address: "did not answer within 60 s". */
  constructor(reason: HttpFailureReason, url: string, detail: string, cause?: unknown) {
    super(codes[reason], `${shownUrl(url)} ${detail}`, { hint: hints[reason], cause });
    this.reason = reason;
    this.detail = detail;
    this.maybeSent = reason === "broken" || reason === "late" || reason === "too-large";
  }
}

const codes: Readonly<Record<HttpFailureReason, ErrorCode>> = {
  unreachable: "provider-unreachable",
  "unknown-host": "provider-unreachable",
  proxy: "provider-unreachable",
  certificate: "provider-untrusted",
  "plain-http": "provider-untrusted",
  broken: "provider-unreachable",
  late: "provider-unreachable",
  "too-large": "provider-error",
};

const network = "Check the network and the proxy settings (HTTPS_PROXY, NO_PROXY).";
const hints: Readonly<Partial<Record<HttpFailureReason, string>>> = {
  unreachable: network,
  "unknown-host": network,
  broken: network,
  late: network,
  proxy: "Check HTTPS_PROXY and HTTP_PROXY; put what needs no proxy into NO_PROXY.",
  certificate:
    "If the endpoint's certificate authority is your own, add it to this computer's trusted roots or name its file to the driver.",
  "plain-http": "Use its https address.",
};

export function isHttpFailure(error: unknown): error is HttpFailure {
  return isMachineError(error) && "reason" in error && "maybeSent" in error;
}

/** What happened while connecting, noted where it is known: errors of TLS and of sockets have no common form. */
const whileDialling = new WeakMap<object, HttpFailureReason>();

/** Marks what was thrown before anything of a request was sent, and gives it back. */
export function noteDialFailure(error: unknown, reason?: HttpFailureReason): Error {
  const thrown = error instanceof Error ? error : new Error(String(error));
  if (!whileDialling.has(thrown)) whileDialling.set(thrown, reason ?? dialReason(thrown));
  return thrown;
}

/** Certificate errors have a code for each complaint, in both runtimes; those of sockets are few. */
function dialReason(error: Error): HttpFailureReason {
  const code = systemCodeOf(error) ?? "";
  if (code === "ENOTFOUND" || code === "ENODATA") return "unknown-host";
  return /CERT|ALTNAME|SIGNATURE|ISSUER|INVALID_CA|INVALID_PURPOSE/u.test(code) ? "certificate" : "unreachable";
}

export function explainHttpFailure(error: unknown, url: string): MachineError {
  if (isMachineError(error)) return error;
  const reason = (error instanceof Error ? whileDialling.get(error) : undefined) ?? "broken";
  const why = messageOf(error) || systemCodeOf(error) || "no reason given";
  return new HttpFailure(reason, url, `${sentences[reason]}: ${why}`, error);
}

/** An address as it may stand in a message: queries and user information may be secret. */
export function shownUrl(text: string): string {
  if (!URL.canParse(text)) return JSON.stringify(text.replace(/[?#].*$/su, ""));
  const url = new URL(text);
  return `${url.protocol}//${url.host}${url.pathname}`;
}

const sentences: Readonly<Record<HttpFailureReason, string>> = {
  unreachable: "cannot be reached",
  "unknown-host": "cannot be reached",
  proxy: "cannot be reached",
  certificate: "does not prove who it is",
  "plain-http": "is not asked",
  broken: "broke off its answer",
  late: "did not answer in time",
  "too-large": "answers with too much",
};
