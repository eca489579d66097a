/** Bytes that are not gob, a value that does not fit its type, or a limit that was passed. */
export class GobError extends Error {
  override readonly name: string = "GobError";
}
