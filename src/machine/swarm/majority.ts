/** Whether a cluster can lose a manager: more than half of those that are left must answer, or nothing can be changed any more. Pure. */
import { MachineError } from "../../errors/machine-error.ts";
import type { SwarmNode } from "./swarm-api.ts";

/** Throws `swarm-majority` where it would not go on without this manager. */
export function requireMajorityWithout(
  node: Pick<SwarmNode, "id" | "isReachable">,
  nodes: readonly SwarmNode[],
  name: string,
): void {
  const managers = nodes.filter(({ spec }) => spec.Role === "manager");
  const left = managers.filter(({ id }) => id !== node.id);
  const answering = left.filter(({ isReachable }) => isReachable).length;
  const needed = Math.floor(left.length / 2) + 1;
  if (left.length > 0 && answering >= needed) return;
  const why =
    left.length === 0
      ? "it is the only manager"
      : `${answering} of the ${left.length} other managers ${answering === 1 ? "answers" : "answer"}, and ${needed} must`;
  throw new MachineError("swarm-majority", `Without "${name}" its swarm could not be managed any more: ${why}`, {
    hint: "Start the managers that do not answer, or make another machine a manager first.",
  });
}
