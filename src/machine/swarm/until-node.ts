/** Waiting for a cluster to show a node as it should be. */
import { poll } from "../../system/waiting.ts";
import type { SwarmNode } from "./swarm-api.ts";
import type { SwarmEngine, SwarmMembers } from "./swarm-members.ts";

const settleMs = 120_000;
const paceMs = 500;

export async function untilNode(
  { clock, signal }: SwarmMembers,
  engine: SwarmEngine,
  what: string,
  isRight: (node: SwarmNode) => boolean,
): Promise<SwarmNode> {
  const patience = { ms: settleMs, clock, signal };
  return await poll(patience, paceMs, async () => (await engine.nodes()).find(isRight), `The swarm did not show ${what}`);
}
