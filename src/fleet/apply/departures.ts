/** Who leaves a cluster of swarm mode before machines are changed, and by whom that is managed. Pure. */
import type { Membership } from "../../machine/swarm/swarm-members.ts";
import type { Work } from "./work.ts";

export interface Departure {
  readonly name: string;
  /** Managers of the cluster that stay, or leave later. */
  readonly others: readonly string[];
  /** The machine goes too: where it does not answer, the others may take it off their list. */
  readonly isRemoved: boolean;
}

/**
 * In the order in which they leave: workers, then managers.
 * @param recorded what machines are members of
 * @param wanted what they are to be members of
 */
export function departuresOf(
  work: readonly Work[],
  recorded: ReadonlyMap<string, Membership>,
  wanted: ReadonlyMap<string, Membership>,
): Departure[] {
  const leaving = work.flatMap(({ machine: { name }, kind }) => {
    const membership = recorded.get(name);
    const isRemoved = kind === "remove" || kind === "replace";
    if (membership === undefined || (!isRemoved && wanted.get(name)?.cluster === membership.cluster)) return [];
    return [{ name, isRemoved, ...membership }];
  });
  const ordered = [...leaving.filter(({ role }) => role === "worker"), ...leaving.filter(({ role }) => role === "manager")];
  return ordered.map(({ name, isRemoved, cluster }, index) => {
    const gone = new Set(ordered.slice(0, index + 1).map((one) => one.name));
    const others = [...recorded].flatMap(([other, membership]) =>
      !gone.has(other) && membership.cluster === cluster && membership.role === "manager" ? [other] : [],
    );
    return { name, others, isRemoved };
  });
}
