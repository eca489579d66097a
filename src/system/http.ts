/**
 * Downloads of large files: resumed where they broke off, verified, reported. Knows URLs and files; what is downloaded
 * and where it is kept is decided elsewhere.
 */
import { createHash, timingSafeEqual, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import * as fs from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import * as path from "node:path";
import { isMachineError, MachineError, messageOf, systemCodeOf } from "../errors/machine-error.ts";
import type { Report } from "../log/event.ts";
import type { Clock } from "./clock.ts";
import { requireFreeBytes } from "./disk-files.ts";
import { isHttpFailure, type HttpFailureReason } from "./http-failure.ts";
import type { HttpTrust } from "./http-dial.ts";
import { HttpClient } from "./http-request.ts";
import { explainFileError, makePrivateDirectory, readFileIfExists, writeFileAtomic } from "./files.ts";
import { poll } from "./waiting.ts";

export interface Checksum {
  readonly algorithm: "sha256" | "sha512";
  /** Lower-case hex. */
  readonly hex: string;
}

export interface DownloadRequest {
  readonly url: string;
  /** Where the complete, verified file appears. What arrived so far stands beside it as `.part`. */
  readonly file: string;
  /** Absent where its publisher gives none: whatever an encrypted connection brings is taken then, from no mirror. */
  readonly checksum?: Checksum | undefined;
  /** What is being downloaded, for messages and progress. */
  readonly what: string;
}

export interface DownloadContext {
  readonly report: Report;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Environment whose HTTPS_PROXY, HTTP_PROXY and NO_PROXY apply. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Bound on reaching the server and on silence while receiving. */
  readonly idleTimeoutMs?: number | undefined;
}

const defaultIdleTimeoutMs = 20_000;
const mostRedirects = 5;
/** What is downloaded is checked by its digest, so mirrors may be plain http. */
const mirrors: HttpTrust = { plainHttp: true };
/** How often a transfer is taken up again without the server sending a single further byte. */
const fruitlessAttempts = 3;
const retryDelayMs = 1_000;
const reportEveryMs = 200;

/**
 * Gives the checksum of what arrived. Throws `download-failed`, also for plain http without a checksum, `disk-full`, or the
 * signal's reason. What arrived is kept for the next call, except when it is wrong.
 */
export async function download(request: DownloadRequest, context: DownloadContext): Promise<Checksum> {
  await makePrivateDirectory(path.dirname(request.file));
  const partial = await openPartial(request);
  let fruitless = 0;
  const attempt = async (): Promise<true | undefined> => {
    const before = partial.doneBytes;
    try {
      await receiveInto(partial, request, context);
      return true;
    } catch (error) {
      context.signal.throwIfAborted();
      fruitless = partial.doneBytes > before ? 0 : fruitless + 1;
      if (isFinal(error) || fruitless >= fruitlessAttempts) throw explainDownload(error, request.url);
      return undefined;
    }
  };
  // What bounds it is how often nothing comes: a large file takes its time.
  await poll({ ms: Number.POSITIVE_INFINITY, clock: context.clock, signal: context.signal }, retryDelayMs, attempt);
  return await finish(partial, request);
}

/** A small text, such as a list of checksums. Throws `download-failed` or the signal's reason. */
export async function fetchText(url: string, mostBytes: number, context: DownloadContext): Promise<string> {
  try {
    const response = await get(url, {}, context, mirrors);
    if (response.statusCode !== 200) throw statusError(response, url);
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size > mostBytes) throw new MachineError("download-failed", `${url} is larger than ${mostBytes} bytes`);
    }
    return Buffer.concat(chunks).toString("utf8");
  } catch (error) {
    context.signal.throwIfAborted();
    throw explainDownload(error, url);
  }
}

/** What has arrived, and the server's mark of the version it belongs to. */
interface Partial {
  readonly file: string;
  readonly noteFile: string;
  hash: Hash;
  doneBytes: number;
  /** ETag or date for If-Range; without one a broken transfer starts anew. */
  validator: string | undefined;
}

async function openPartial(request: DownloadRequest): Promise<Partial> {
  const file = `${request.file}.part`;
  const noteFile = `${file}.json`;
  const partial: Partial = { file, noteFile, hash: createHash(algorithmOf(request)), doneBytes: 0, validator: undefined };
  const note = parseNote(await readFileIfExists(noteFile));
  if (note?.url === request.url) {
    partial.validator = note.validator;
    await hashWhatIsThere(partial);
  } else {
    await discard(partial);
  }
  return partial;
}

async function hashWhatIsThere(partial: Partial): Promise<void> {
  try {
    for await (const chunk of createReadStream(partial.file, { highWaterMark: 1 << 20 })) {
      partial.hash.update(chunk as Buffer);
      partial.doneBytes += (chunk as Buffer).length;
    }
  } catch (error) {
    if (systemCodeOf(error) !== "ENOENT") throw explainFileError(error, partial.file, "read");
  }
}

function parseNote(bytes: Buffer | undefined): { url: string; validator: string } | undefined {
  if (bytes === undefined) return undefined;
  try {
    const value = JSON.parse(bytes.toString("utf8")) as { url?: unknown; validator?: unknown };
    return typeof value.url === "string" && typeof value.validator === "string"
      ? { url: value.url, validator: value.validator }
      : undefined;
  } catch {
    return undefined;
  }
}

async function discard(partial: Partial): Promise<void> {
  await fs.rm(partial.noteFile, { force: true });
  await fs.rm(partial.file, { force: true });
}

async function receiveInto(partial: Partial, request: DownloadRequest, context: DownloadContext): Promise<void> {
  const resuming = partial.doneBytes > 0 && partial.validator !== undefined;
  const headers = resuming ? { range: `bytes=${partial.doneBytes}-`, "if-range": partial.validator ?? "" } : {};
  const response = await get(request.url, headers, context, request.checksum === undefined ? undefined : mirrors);
  // 416: nothing is left to send, so what arrived is the whole file.
  if (resuming && response.statusCode === 416) {
    response.resume();
    return;
  }
  if (response.statusCode !== 200 && response.statusCode !== 206) throw statusError(response, request.url);
  if (response.statusCode === 200) await startAnew(partial, request, response);
  const totalBytes = totalOf(response, partial.doneBytes);
  if (totalBytes !== undefined) await requireFreeBytes(path.dirname(partial.file), totalBytes - partial.doneBytes, request.what);
  await append(partial, response, totalBytes, request, context);
  if (totalBytes !== undefined && partial.doneBytes < totalBytes)
    throw new Error(`The connection closed after ${partial.doneBytes} of ${totalBytes} bytes`);
}

async function startAnew(partial: Partial, request: DownloadRequest, response: IncomingMessage): Promise<void> {
  await discard(partial);
  partial.hash = createHash(algorithmOf(request));
  partial.doneBytes = 0;
  const etag = response.headers.etag;
  // A weak tag does not promise equal bytes (RFC 9110, 13.1.5).
  partial.validator = etag !== undefined && !etag.startsWith("W/") ? etag : response.headers["last-modified"];
  if (partial.validator === undefined) return;
  await writeFileAtomic(partial.noteFile, JSON.stringify({ url: request.url, validator: partial.validator }), 0o600);
}

function totalOf(response: IncomingMessage, doneBytes: number): number | undefined {
  const length = response.headers["content-length"];
  return length === undefined ? undefined : doneBytes + Number(length);
}

async function append(
  partial: Partial,
  response: IncomingMessage,
  totalBytes: number | undefined,
  request: DownloadRequest,
  context: DownloadContext,
): Promise<void> {
  const handle = await fs.open(partial.file, "a", 0o600);
  let reportedMs = Number.NEGATIVE_INFINITY;
  const tell = (): void => context.report({ type: "transfer", what: request.what, doneBytes: partial.doneBytes, totalBytes });
  try {
    for await (const chunk of response) {
      await handle.appendFile(chunk as Buffer);
      partial.hash.update(chunk as Buffer);
      partial.doneBytes += (chunk as Buffer).length;
      const nowMs = context.clock.monotonicMs();
      if (nowMs - reportedMs < reportEveryMs) continue;
      reportedMs = nowMs;
      tell();
    }
    tell();
  } catch (error) {
    throw explainFileError(error, partial.file, "write");
  } finally {
    await handle.close();
  }
}

function algorithmOf({ checksum }: DownloadRequest): Checksum["algorithm"] {
  return checksum?.algorithm ?? "sha256";
}

async function finish(partial: Partial, request: DownloadRequest): Promise<Checksum> {
  const actual = partial.hash.digest();
  const arrived = { algorithm: algorithmOf(request), hex: actual.toString("hex") };
  const { checksum = arrived } = request;
  const expected = Buffer.from(checksum.hex, "hex");
  if (actual.length !== expected.length || !timingSafeEqual(actual, expected)) {
    await discard(partial);
    throw new MachineError("download-failed", `${request.url} has the wrong ${arrived.algorithm} checksum: ${arrived.hex}`, {
      hint: `Expected was ${checksum.hex}. Check the URL and the checksum; what was downloaded has been removed.`,
    });
  }
  const handle = await fs.open(partial.file, "r");
  await handle.sync();
  await handle.close();
  await fs.rename(partial.file, request.file);
  await fs.rm(partial.noteFile, { force: true });
  return arrived;
}

async function get(
  url: string,
  headers: Readonly<Record<string, string>>,
  context: DownloadContext,
  trust: HttpTrust | undefined,
): Promise<IncomingMessage> {
  const idleMs = context.idleTimeoutMs ?? defaultIdleTimeoutMs;
  const client = new HttpClient({ env: context.env, clock: context.clock, boundMs: idleMs, trust });
  let current = url;
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    const response = await client.open({ method: "GET", url: current, headers }, idleMs, context.signal);
    const location = response.headers.location;
    if (location === undefined || ![301, 302, 303, 307, 308].includes(response.statusCode ?? 0)) return response;
    response.resume();
    current = redirected(url, current, location);
  }
  throw new MachineError("download-failed", `${url} redirects more than ${mostRedirects} times`);
}

function redirected(url: string, from: string, location: string): string {
  const next = new URL(location, from);
  if (!from.startsWith("https:") || next.protocol === "https:") return next.href;
  throw new MachineError("download-failed", `${url} redirects from https to ${next.protocol.slice(0, -1)}, which is refused`);
}

function statusError(response: IncomingMessage, url: string): MachineError {
  response.resume();
  return new MachineError(
    "download-failed",
    `${url} answered with status ${response.statusCode} ${response.statusMessage ?? ""}`.trimEnd(),
  );
}

/** Whether another attempt would end in the same way. */
function isFinal(error: unknown): boolean {
  return isHttpFailure(error) ? !transient.has(error.reason) : isMachineError(error);
}

const transient: ReadonlySet<HttpFailureReason> = new Set(["unreachable", "unknown-host", "proxy", "broken", "late"]);

function explainDownload(error: unknown, url: string): unknown {
  if (isMachineError(error) && !isHttpFailure(error)) return error;
  const why = isHttpFailure(error) ? `it ${error.detail}` : messageOf(error);
  const isTransient = !isHttpFailure(error) || transient.has(error.reason);
  return new MachineError("download-failed", `${url} cannot be downloaded: ${why}`, {
    cause: error,
    hint: isTransient
      ? "Check the network and the proxy settings; running the command again continues where it stopped."
      : error.hint,
  });
}

/** Reads `sha256:HEX` or `sha512:HEX`, or a bare digest of either length. Undefined when it is neither. */
export function parseChecksum(text: string): Checksum | undefined {
  const found = /^(?:(sha256|sha512):)?([0-9a-f]+)$/iu.exec(text.trim());
  const hex = found?.[2]?.toLowerCase() ?? "";
  const algorithm = hex.length === 64 ? "sha256" : hex.length === 128 ? "sha512" : undefined;
  if (algorithm === undefined || (found?.[1] !== undefined && found[1].toLowerCase() !== algorithm)) return undefined;
  return { algorithm, hex };
}

/** The checksum of a file in a list as `sha256sum` and `sha512sum` write it. */
export function findChecksum(list: string, fileName: string): Checksum | undefined {
  for (const line of list.split("\n")) {
    const [digest, name] = line.trim().split(/\s+/u);
    if (digest !== undefined && name?.replace(/^\*/u, "") === fileName) return parseChecksum(digest);
  }
  return undefined;
}
