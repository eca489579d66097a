/**
 * Operating systems as users name them where a provider has images of its own: `ubuntu`, `ubuntu-24.04`, `debian-13`.
 * What a provider calls such an image is its driver's. No I/O.
 */

export interface OsWord {
  /** `ubuntu`, `debian`, `rockylinux`. */
  readonly system: string;
  /** Undefined: the newest that will do. */
  readonly version: string | undefined;
}

/** Undefined for what is no such word: a provider's own name of an image. */
export function parseOsWord(text: string): OsWord | undefined {
  const found = /^([a-z]+)(?:-(\d+(?:\.\d+)?))?$/u.exec(text);
  return found === null ? undefined : { system: found[1] ?? "", version: found[2] };
}

/**
 * The version that a bare word means, of those that a provider has; undefined where it has none. Of Ubuntu that is the
 * newest long-term one whose first point release is out: engines and tools are packaged for it by then.
 */
export function newestVersion(system: string, versions: readonly string[], now: Date): string | undefined {
  const descending = versions.toSorted((a, b) => compareVersions(b, a));
  if (system !== "ubuntu") return descending[0];
  const longTerm = descending.filter((version) => /^\d*[02468]\.04$/u.test(version));
  return longTerm.find((version) => isSettled(version, now)) ?? longTerm[0];
}

/** Point releases of Ubuntu come out in the August of the year: https://wiki.ubuntu.com/Releases. */
function isSettled(version: string, now: Date): boolean {
  const year = 2000 + Number(version.split(".")[0]);
  return now.getTime() >= Date.UTC(year, 8, 1);
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split(".").map(Number), b.split(".").map(Number)];
  const at = left.findIndex((part, index) => part !== right[index]);
  return at === -1 ? left.length - right.length : (left[at] ?? 0) - (right[at] ?? 0);
}
