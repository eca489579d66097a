/** What travels before each argument and each answer in Go's net/rpc. */
import { GobEncoder } from "../gob/encoder.ts";
import { gobString, gobStruct, gobUint, type GobType, type ValueOf } from "../gob/types.ts";

export const requestType = gobStruct("Request", { ServiceMethod: gobString, Seq: gobUint });
export const responseType = gobStruct("Response", { ServiceMethod: gobString, Seq: gobUint, Error: gobString });

export type RequestHeader = ValueOf<typeof requestType>;
export type ResponseHeader = ValueOf<typeof responseType>;

/** A method's types on the wire. */
export interface RpcMethod<Argument = unknown, Reply = unknown> {
  readonly argument: GobType<Argument>;
  readonly reply: GobType<Reply>;
}

/**
 * Throws a GobError when a value does not fit its type. Asked before the header is encoded: a header without its body,
 * or one whose type was described in bytes that never went out, would end the connection.
 */
export function requireFit(type: GobType, value: unknown): void {
  new GobEncoder().encode(type, value);
}
