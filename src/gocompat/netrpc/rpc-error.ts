/** Why a call has no answer. */
export type RpcErrorKind =
  /** The other side answered with an error; the message is its text and nothing else. */
  | "remote"
  /** The connection ended before the answer came, or was closed when the call was made. */
  | "closed"
  /** The other side sent something that is not the protocol; the connection is of no more use. */
  | "protocol";

export class RpcError extends Error {
  override readonly name: string = "RpcError";
  readonly kind: RpcErrorKind;

  constructor(kind: RpcErrorKind, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.kind = kind;
  }
}
