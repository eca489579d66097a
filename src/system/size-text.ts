/** Amounts of memory and disk as people type them. Pure. */

const unitsMiB: Readonly<Record<string, number>> = { "": 1, m: 1, g: 1024, t: 1024 * 1024 };

/**
 * `2048`, `2048MB`, `2GB`, `1.5g`, `8GiB` in MiB, which 0.16.2 calls MB; undefined for what is no size, for none, and
 * for what is no whole number of them.
 */
export function readSizeText(text: string): number | undefined {
  const [, amount, unit = ""] = /^(\d+(?:\.\d+)?)\s*(?:([mgt])(?:i?b|i)?)?$/iu.exec(text.trim()) ?? [];
  if (amount === undefined) return undefined;
  const size = Number(amount) * (unitsMiB[unit.toLowerCase()] as number);
  return Number.isSafeInteger(size) && size > 0 ? size : undefined;
}
