/**
 * The calling side of Go's net/rpc over gob. Knows no sockets: it is given the bytes that arrived and hands out those
 * to send. Any number of calls may be under way; answers come in any order.
 */
import { GobDecoder, type GobLimits } from "../gob/decoder.ts";
import { GobEncoder } from "../gob/encoder.ts";
import { GobError } from "../gob/gob-error.ts";
import { gobAny } from "../gob/types.ts";
import { connectedResponse, connectRequest, HttpHeadReader } from "./http-head.ts";
import { requestType, requireFit, responseType, type ResponseHeader, type RpcMethod } from "./messages.ts";
import { RpcError } from "./rpc-error.ts";

export interface RpcClientOptions {
  /** Takes bytes for the other side, in order. */
  readonly send: (bytes: Uint8Array) => void;
  /** Called at most once, when what arrived is not the protocol: the connection must be ended. */
  readonly onProtocolError: (error: RpcError) => void;
  readonly limits?: Partial<GobLimits> | undefined;
}

interface PendingCall {
  readonly method: RpcMethod;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: RpcError) => void;
}

export class RpcClient {
  readonly #options: RpcClientOptions;
  readonly #encoder = new GobEncoder();
  readonly #decoder: GobDecoder;
  readonly #pending = new Map<number, PendingCall>();
  #head: HttpHeadReader | undefined = new HttpHeadReader();
  /** Requests made before the server's HTTP answer: Go's server loses bytes that come together with the opening line. */
  #held: Uint8Array[] = [];
  #header: ResponseHeader | undefined;
  #sequence = 0;
  #ended: RpcError | undefined;

  /** Sends the opening line at once. */
  constructor(options: RpcClientOptions) {
    this.#options = options;
    this.#decoder = new GobDecoder(options.limits);
    options.send(Buffer.from(connectRequest));
  }

  /** Calls `SERVICE.METHOD`. Rejects with {@link RpcError}; with a GobError when the argument does not fit its type. */
  call<Argument, Reply>(serviceMethod: string, method: RpcMethod<Argument, Reply>, argument: Argument): Promise<Reply> {
    if (this.#ended !== undefined)
      return Promise.reject(new RpcError("closed", "connection is shut down", { cause: this.#ended }));
    return new Promise((resolve, reject) => {
      requireFit(method.argument, argument);
      const sequence = this.#sequence;
      const header = this.#encoder.encode(requestType, { ServiceMethod: serviceMethod, Seq: sequence });
      const body = this.#encoder.encode(method.argument, argument);
      this.#sequence++;
      this.#pending.set(sequence, { method, resolve: (reply) => resolve(reply as Reply), reject });
      this.#send(Buffer.concat([header, body]));
    });
  }

  /** Takes bytes that arrived. */
  receive(chunk: Uint8Array): void {
    if (this.#ended !== undefined) return;
    try {
      const bytes = this.#head === undefined ? chunk : this.#readHead(this.#head, chunk);
      if (bytes !== undefined) this.#readResponses(bytes);
    } catch (error) {
      if (!(error instanceof RpcError || error instanceof GobError)) throw error;
      const failure = error instanceof RpcError ? error : new RpcError("protocol", error.message, { cause: error });
      this.end(failure);
      this.#options.onProtocolError(failure);
    }
  }

  /** The connection ended: calls under way fail with `reason`, by default as Go words it. */
  end(reason: RpcError = new RpcError("closed", "unexpected EOF")): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    for (const call of this.#pending.values()) call.reject(reason);
    this.#pending.clear();
  }

  #send(request: Uint8Array): void {
    if (this.#head === undefined) this.#options.send(request);
    else this.#held.push(request);
  }

  #readHead(head: HttpHeadReader, chunk: Uint8Array): Uint8Array | undefined {
    const found = head.read(chunk);
    if (found === undefined) return undefined;
    if (found.lines[0] !== connectedResponse.trimEnd()) {
      throw new RpcError("protocol", `unexpected HTTP response: ${found.lines[0]?.slice(0, 200)}`);
    }
    this.#head = undefined;
    for (const request of this.#held) this.#options.send(request);
    this.#held = [];
    return found.rest;
  }

  #readResponses(bytes: Uint8Array): void {
    this.#decoder.push(bytes);
    for (;;) {
      this.#header ??= this.#decoder.next(responseType)?.value;
      if (this.#header === undefined || !this.#readBody(this.#header)) return;
      this.#header = undefined;
    }
  }

  /** Settles the call that a response answers; false while its body has not arrived. */
  #readBody(header: ResponseHeader): boolean {
    const sequence = Number(header.Seq);
    const call = this.#pending.get(sequence);
    const expected = call === undefined || header.Error !== "" ? gobAny : call.method.reply;
    const body = this.#decodeBody(expected);
    if (body === undefined) return false;
    this.#pending.delete(sequence);
    if (header.Error === "") call?.resolve(body.value);
    else call?.reject(new RpcError("remote", header.Error));
    return true;
  }

  #decodeBody(expected: RpcMethod["reply"]): { readonly value: unknown } | undefined {
    try {
      return this.#decoder.next(expected);
    } catch (error) {
      if (!(error instanceof GobError)) throw error;
      throw new RpcError("protocol", `reading body ${error.message}`, { cause: error });
    }
  }
}
