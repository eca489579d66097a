import assert from "node:assert/strict";
import { test } from "node:test";
import type { Membership } from "../../machine/swarm/swarm-members.ts";
import { membershipChange, membershipsIn } from "../plan/memberships.ts";
import type { PlannedMachine } from "../plan/plan.ts";
import { departuresOf } from "./departures.ts";
import type { Work } from "./work.ts";

const place = { file: "m.yml", line: 1, column: 1 } as never;
const shop = { name: "shop", place, managers: ["m-1", "m-2", "m-3"], workers: ["w-1"], dataPathPort: undefined };
const recorded = membershipsIn([shop]);

function work(kinds: Readonly<Record<string, Work["kind"]>>): Work[] {
  return Object.entries(kinds).map(([name, kind]) => ({ kind, machine: { name } as PlannedMachine }));
}

test("workers leave before managers, and who has left is asked no more", () => {
  const all = work({ "m-3": "remove", "m-1": "remove", "w-1": "remove" });
  assert.deepEqual(departuresOf(all, recorded, new Map()), [
    { name: "w-1", others: ["m-1", "m-2", "m-3"], isRemoved: true },
    { name: "m-3", others: ["m-1", "m-2"], isRemoved: true },
    { name: "m-1", others: ["m-2"], isRemoved: true },
  ]);
});

test("who stays in the cluster does not leave it for another role, who goes to another one does", () => {
  const changed = work({ "m-3": "change", "w-1": "change", "m-2": "replace", other: "remove" });
  const wanted = new Map<string, Membership>([
    ["m-3", { cluster: "shop", role: "worker" }],
    ["w-1", { cluster: "yard", role: "worker" }],
    ["m-2", { cluster: "shop", role: "manager" }],
  ]);
  assert.deepEqual(departuresOf(changed, recorded, wanted), [
    { name: "w-1", others: ["m-1", "m-2", "m-3"], isRemoved: false },
    { name: "m-2", others: ["m-1", "m-3"], isRemoved: true },
  ]);
});

test("a plan shows who joins, leaves, and changes its role, and nothing of who is as it should be", () => {
  const [manager, worker] = [recorded.get("m-1"), recorded.get("w-1")];
  const shown = (from: Membership | undefined, to: Membership | undefined) =>
    membershipChange(to, from).map((change) => [change.from, change.to, change.effect]);
  assert.deepEqual(shown(undefined, worker), [[null, "shop (worker)", "swarm"]]);
  assert.deepEqual(shown(manager, undefined), [["shop (manager)", null, "swarm"]]);
  assert.deepEqual(shown(worker, manager), [["shop (worker)", "shop (manager)", "swarm"]]);
  assert.deepEqual([shown(manager, manager), shown(undefined, undefined)], [[], []]);
});
