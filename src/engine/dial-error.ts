/**
 * What went wrong on the way to an engine, in three kinds with three ways out: it does not answer, it answers too late,
 * or the certificates do not fit. The messages are those of Go's net and tls packages, which scripts match. Node and
 * Bun name TLS errors differently; both spellings are known here and nowhere else.
 */
import type { ErrorCode } from "../errors/codes.ts";
import { MachineError, messageOf, systemCodeOf } from "../errors/machine-error.ts";
import { formatHostPort, type EngineAddress } from "./engine-address.ts";
import { EngineTimeoutError, noAnswerHint, type DialStage } from "./engine-timeout-error.ts";

type Kind = Extract<ErrorCode, "engine-unreachable" | "engine-timeout" | "engine-certificate">;

const hints: Readonly<Record<Kind, string>> = {
  "engine-unreachable": "The machine may be stopped, or its engine is not running or listens on another port.",
  "engine-timeout": noAnswerHint,
  "engine-certificate": "The machine's certificates can be made anew with: docker-machine regenerate-certs NAME",
};

const connectErrors: Readonly<Record<string, readonly [Kind, string]>> = {
  ECONNREFUSED: ["engine-unreachable", "connection refused"],
  EHOSTUNREACH: ["engine-unreachable", "no route to host"],
  EHOSTDOWN: ["engine-unreachable", "host is down"],
  ENETUNREACH: ["engine-unreachable", "network is unreachable"],
  EADDRNOTAVAIL: ["engine-unreachable", "cannot assign requested address"],
  EACCES: ["engine-unreachable", "permission denied"],
  EPERM: ["engine-unreachable", "operation not permitted"],
  ETIMEDOUT: ["engine-timeout", "connection timed out"],
};

const lookupErrors: Readonly<Record<string, string>> = {
  ENOTFOUND: "no such host",
  EAI_AGAIN: "temporary failure in name resolution",
  ENODATA: "no such host",
};

const unknownAuthority = "x509: certificate signed by unknown authority";
const outOfDate = "x509: certificate has expired or is not yet valid";

const certificateErrors: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: outOfDate,
  CERT_NOT_YET_VALID: outOfDate,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  CERT_SIGNATURE_FAILURE: unknownAuthority,
  CERT_UNTRUSTED: unknownAuthority,
  INVALID_CA: unknownAuthority,
  INVALID_PURPOSE: "x509: certificate specifies an incompatible key usage",
  ERR_SSL_WRONG_VERSION_NUMBER: "tls: first record does not look like a TLS handshake",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "tls: server selected unsupported protocol version",
};

/** TLS alerts that Go words otherwise than OpenSSL. */
const alerts: Readonly<Record<string, string>> = {
  "certificate expired": "expired certificate",
  "certificate revoked": "revoked certificate",
  "certificate unknown": "unknown certificate",
  "protocol version": "protocol version not supported",
  "unknown ca": "unknown certificate authority",
};

/** The error of a connection that failed by itself, by what Node or Bun threw. */
export function explainDialError(error: unknown, address: EngineAddress, stage: DialStage): MachineError {
  const code = systemCodeOf(error) ?? "";
  const connectError = connectErrors[code];
  if (connectError !== undefined && stage === "connecting") {
    return dialError(connectError[0], `dial tcp ${dialled(error, address)}: connect: ${connectError[1]}`, error);
  }
  const lookup = lookupErrors[code];
  if (lookup !== undefined) return dialError("engine-unreachable", `dial tcp: lookup ${address.host}: ${lookup}`, error);
  const refusal = certificateErrors[code] ?? alertOf(code) ?? identityComplaint(error) ?? weaknessIn(error, code);
  if (refusal !== undefined) return dialError("engine-certificate", refusal, error);
  if (code === "ECONNRESET" || code === "EPIPE" || code === "ERR_SOCKET_CLOSED") return explainClose(address, stage, error);
  return dialError("engine-unreachable", `dial tcp ${formatHostPort(address)}: ${code || "failed"}`, error);
}

/** The error for a certificate that the TLS library took and we do not. */
export function refusedCertificate(objection: string): MachineError {
  return dialError("engine-certificate", objection);
}

/** The error of a connection that the other side ended before it had answered. */
export function explainClose(address: EngineAddress, stage: DialStage, cause?: unknown): MachineError {
  if (stage !== "answer") return dialError("engine-unreachable", `read tcp ${formatHostPort(address)}: EOF`, cause);
  // An engine says why it refuses a client; some servers just hang up.
  return new MachineError("engine-certificate", `read tcp ${formatHostPort(address)}: EOF after the TLS handshake`, {
    cause,
    hint: "This is how a server ends a connection whose client certificate it does not accept. Make the certificates anew with: docker-machine regenerate-certs NAME",
  });
}

/** The error of a connection that took too long. */
export function explainTimeout(address: EngineAddress, stage: DialStage, timeoutMs: number): MachineError {
  const where = `dial tcp ${formatHostPort(address)}: i/o timeout`;
  const waitedFor = { connecting: "", handshake: " during the TLS handshake", answer: " while waiting for the engine's answer" };
  return new EngineTimeoutError(stage, `${where}${waitedFor[stage]} (${timeoutMs / 1000} s)`);
}

/** The error for certificates of ours that no connection can be made with, in Go's words. */
export function explainBadCredentials(error: unknown): MachineError {
  const isMismatch = systemCodeOf(error)?.includes("KEY_VALUES_MISMATCH") === true;
  const message = isMismatch
    ? "tls: private key does not match public key"
    : "tls: failed to find any PEM data in certificate input";
  // Without the cause: it might quote the key.
  return new MachineError("certificate-invalid", message, {
    hint: "The client's certificates are damaged. Make them anew with: docker-machine regenerate-certs --client-certs NAME",
  });
}

/** A certificate that is not for the name asked for, in Go's words; thrown by the identity check of a connection. */
export class IdentityError extends Error {
  constructor(name: string, isAddress: boolean, subjectAltName: string) {
    const kind = isAddress ? "IP Address" : "DNS";
    const names = subjectAltName.split(", ").filter((entry) => entry.startsWith(`${kind}:`));
    const values = names.map((entry) => entry.slice(kind.length + 1));
    if (isAddress && values.length === 0)
      super(`x509: cannot validate certificate for ${name} because it doesn't contain any IP SANs`);
    else if (values.length === 0) super(`x509: certificate is not valid for any names, but wanted to match ${name}`);
    else super(`x509: certificate is valid for ${values.join(", ")}, not ${name}`);
  }
}

function identityComplaint(error: unknown): string | undefined {
  return error instanceof IdentityError ? error.message : undefined;
}

/** What Node has no name for, in OpenSSL's words: a key or a hash under its level of security. */
function weaknessIn(error: unknown, code: string): string | undefined {
  return code === "UNSPECIFIED" ? `x509: ${messageOf(error)}` : undefined;
}

/** `ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE` (Node), `ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE` (Bun). */
function alertOf(code: string): string | undefined {
  const name = /^ERR_SSL_.*?ALERT_(\w+)$/u.exec(code)?.[1]?.toLowerCase().replaceAll("_", " ");
  return name && `remote error: tls: ${alerts[name] ?? name}`;
}

/** The address that was tried: of a name, the one it stands for, as Go prints it. */
function dialled(error: unknown, address: EngineAddress): string {
  const attempts = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
  const tried = (attempts[0] as { address?: unknown } | undefined)?.address;
  return formatHostPort({ host: typeof tried === "string" ? tried : address.host, port: address.port });
}

function dialError(code: Kind, message: string, cause?: unknown): MachineError {
  return new MachineError(code, message, { hint: hints[code], cause });
}
