/**
 * The answering side of Go's net/rpc over gob. Knows no sockets: it is given the bytes that arrived and hands out those
 * to send. Calls are handled as they come, side by side; each is answered when it is done.
 */
import { GobDecoder, type GobLimits } from "../gob/decoder.ts";
import { GobEncoder } from "../gob/encoder.ts";
import { GobError } from "../gob/gob-error.ts";
import { gobAny, gobEmpty } from "../gob/types.ts";
import { connectedResponse, connectRequest, HttpHeadReader } from "./http-head.ts";
import { requestType, requireFit, responseType, type RequestHeader, type RpcMethod } from "./messages.ts";
import { RpcError } from "./rpc-error.ts";

export interface RpcHandler<Argument = unknown, Reply = unknown> extends RpcMethod<Argument, Reply> {
  /** Answers a call. What it throws is answered as text. */
  handle(argument: Argument): Promise<Reply>;
}

/** Handlers by method, by service. */
export type RpcServices = Readonly<Record<string, Readonly<Record<string, RpcHandler>>>>;

export interface RpcServerOptions {
  readonly services: RpcServices;
  /** Takes bytes for the other side, in order. */
  readonly send: (bytes: Uint8Array) => void;
  /** Called when nothing more can come of this connection: what was sent goes out, then it ends. */
  readonly close: () => void;
  /** The text in which something thrown by a handler travels. */
  readonly errorText: (thrown: unknown) => string;
  readonly limits?: Partial<GobLimits> | undefined;
}

export class RpcServer {
  readonly #options: RpcServerOptions;
  readonly #encoder = new GobEncoder();
  readonly #decoder: GobDecoder;
  #head: HttpHeadReader | undefined = new HttpHeadReader();
  #header: RequestHeader | undefined;
  #closed = false;

  constructor(options: RpcServerOptions) {
    this.#options = options;
    this.#decoder = new GobDecoder(options.limits);
  }

  /** Takes bytes that arrived. */
  receive(chunk: Uint8Array): void {
    if (this.#closed) return;
    try {
      const bytes = this.#head === undefined ? chunk : this.#readHead(this.#head, chunk);
      if (bytes !== undefined) this.#readRequests(bytes);
    } catch (error) {
      if (!(error instanceof RpcError || error instanceof GobError)) throw error;
      this.end();
      this.#options.close();
    }
  }

  /** The connection ended: answers to calls under way are dropped. */
  end(): void {
    this.#closed = true;
  }

  #readHead(head: HttpHeadReader, chunk: Uint8Array): Uint8Array | undefined {
    const found = head.read(chunk);
    if (found === undefined) return undefined;
    this.#head = undefined;
    const [verb, path] = (found.lines[0] ?? "").split(" ");
    const [expectedVerb, expectedPath] = connectRequest.split(" ");
    if (path !== expectedPath) this.#refuse("404 Not Found", "404 page not found");
    if (verb !== expectedVerb) this.#refuse("405 Method Not Allowed", "405 must CONNECT");
    this.#options.send(Buffer.from(connectedResponse));
    return found.rest;
  }

  #refuse(status: string, body: string): never {
    this.#options.send(Buffer.from(`HTTP/1.0 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${body}\n`));
    throw new RpcError("protocol", body);
  }

  #readRequests(bytes: Uint8Array): void {
    this.#decoder.push(bytes);
    for (;;) {
      this.#header ??= this.#decoder.next(requestType)?.value;
      if (this.#header === undefined) return;
      const handler = this.#find(this.#header.ServiceMethod);
      const argument = this.#readArgument(this.#header, handler);
      if (argument === undefined) return;
      void this.#answer(this.#header, handler, argument.value);
      this.#header = undefined;
    }
  }

  /** The handler of a method, or why there is none, in Go's words. */
  #find(serviceMethod: string): RpcHandler | string {
    const dot = serviceMethod.lastIndexOf(".");
    if (dot < 0) return `rpc: service/method request ill-formed: ${serviceMethod}`;
    const service = own(this.#options.services, serviceMethod.slice(0, dot));
    if (service === undefined) return `rpc: can't find service ${serviceMethod}`;
    return own(service, serviceMethod.slice(dot + 1)) ?? `rpc: can't find method ${serviceMethod}`;
  }

  /** An argument that cannot be read is answered, and ends the connection as it does in Go. */
  #readArgument(header: RequestHeader, handler: RpcHandler | string): { readonly value: unknown } | undefined {
    try {
      return this.#decoder.next(typeof handler === "string" ? gobAny : handler.argument);
    } catch (error) {
      if (error instanceof GobError) this.#respond(header, gobEmpty, {}, error.message);
      throw error;
    }
  }

  async #answer(header: RequestHeader, handler: RpcHandler | string, argument: unknown): Promise<void> {
    if (typeof handler === "string") return this.#respond(header, gobEmpty, {}, handler);
    try {
      this.#respond(header, handler.reply, await handler.handle(argument), "");
    } catch (error) {
      // An error without a text would look like success.
      this.#respond(header, gobEmpty, {}, this.#options.errorText(error) || "unknown error");
    }
  }

  #respond(header: RequestHeader, type: RpcMethod["reply"], body: unknown, error: string): void {
    if (this.#closed) return;
    requireFit(type, body);
    const encodedHeader = this.#encoder.encode(responseType, {
      ServiceMethod: header.ServiceMethod,
      Seq: header.Seq,
      Error: error,
    });
    this.#options.send(Buffer.concat([encodedHeader, this.#encoder.encode(type, body)]));
  }
}

function own<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
