/** The HTTP lines that open a net/rpc connection, with the bare line feeds that Go writes. Ended by an empty line. */
import { RpcError } from "./rpc-error.ts";

const maxHeadBytes = 8192;

export const connectRequest = "CONNECT /_goRPC_ HTTP/1.0\n\n";
export const connectedResponse = "HTTP/1.0 200 Connected to Go RPC\n\n";

/** Collects bytes until the head is complete, and hands over what follows it. */
export class HttpHeadReader {
  #bytes = new Uint8Array();

  /** The head's lines and the bytes behind it, or undefined until it is complete. Throws {@link RpcError} when it is too long. */
  read(chunk: Uint8Array): { readonly lines: readonly string[]; readonly rest: Uint8Array } | undefined {
    this.#bytes = concat(this.#bytes, chunk);
    const text = Buffer.from(this.#bytes.subarray(0, maxHeadBytes)).toString("latin1");
    const end = /\r?\n\r?\n/u.exec(text);
    if (end !== null) {
      return { lines: text.slice(0, end.index).split(/\r?\n/u), rest: this.#bytes.slice(end.index + end[0].length) };
    }
    if (this.#bytes.length >= maxHeadBytes)
      throw new RpcError("protocol", `no end of the HTTP head within ${maxHeadBytes} bytes`);
    return undefined;
  }
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
