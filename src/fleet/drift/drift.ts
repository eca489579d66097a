/** What on a machine is not as its record says: as data. */

/**
 * What puts it right. `provision`: provisioning again. `start`: a start. `upgrade`: the version that the file says. `swarm`: its
 * cluster is brought to what the file says, once all machines stand.
 */
export type Repair = "provision" | "start" | "upgrade" | "swarm";

export interface Difference {
  /** What it is about: `state`, `address`, `engine-version`, `certificate`, a path on the machine, … */
  readonly key: string;
  readonly expected: string;
  readonly found: string;
  /** Undefined where somebody has to decide. */
  readonly repair: Repair | undefined;
}

export interface DriftReport {
  readonly name: string;
  /** `unknown`: it could not be looked at, and nobody may take that for no drift. */
  readonly state: "as-recorded" | "drifted" | "unknown";
  /** Why it is unknown; else "". */
  readonly reason: string;
  readonly differences: readonly Difference[];
}

export function reportOf(name: string, differences: readonly Difference[]): DriftReport {
  return { name, state: differences.length === 0 ? "as-recorded" : "drifted", reason: "", differences };
}

export function unknown(name: string, reason: string): DriftReport {
  return { name, state: "unknown", reason, differences: [] };
}

/** Without what is to be passed over: keys, or what begins with one that ends in `*`. */
export function ignoring(report: DriftReport, keys: readonly string[]): DriftReport {
  if (keys.length === 0 || report.state !== "drifted") return report;
  const isIgnored = (key: string): boolean =>
    keys.some((ignored) => (ignored.endsWith("*") ? key.startsWith(ignored.slice(0, -1)) : key === ignored));
  return reportOf(
    report.name,
    report.differences.filter(({ key }) => !isIgnored(key)),
  );
}
