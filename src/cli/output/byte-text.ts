/** Amounts of bytes as people read them. Pure. */

const units = ["B", "kB", "MB", "GB", "TB"];

/** `0 B`, `812 kB`, `1.4 GB`: steps of a thousand, as disks are sold and `df -H` tells. */
export function formatBytes(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 999.5 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit === 0 || value >= 9.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
