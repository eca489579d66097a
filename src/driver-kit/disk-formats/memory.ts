/** Memory given back at once. A conversion makes gigabytes of short-lived bytes, and the collector lets 100 MiB of them pile up. */

/**
 * Frees the memory of bytes that nobody looks at again; afterwards they are empty. Does nothing for a small part of
 * something larger: Node hands out small buffers as such parts, of less than half.
 */
export function release(bytes: Buffer): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && bytes.length * 2 > buffer.byteLength) buffer.transfer(0);
}
