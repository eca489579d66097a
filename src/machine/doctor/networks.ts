/** IPv4 networks and whether they overlap. Pure. */

export interface Network {
  readonly first: number;
  readonly last: number;
}

/** `172.17.0.1/16`; undefined for what is none. */
export function parseNetwork(text: string): Network | undefined {
  const found = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/u.exec(text);
  if (found === null) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, bits = 0] = found.slice(1).map(Number);
  if ([a, b, c, d].some((part) => part > 255) || bits > 32) return undefined;
  const size = 2 ** (32 - bits);
  const address = ((a * 256 + b) * 256 + c) * 256 + d;
  const first = address - (address % size);
  return { first, last: first + size - 1 };
}

export function overlap(one: string, other: string): boolean {
  const [left, right] = [parseNetwork(one), parseNetwork(other)];
  return left !== undefined && right !== undefined && left.first <= right.last && right.first <= left.last;
}
