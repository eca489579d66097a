/** Rows of `ls` for tests. */
import type { ListRow } from "../list/list-rows.ts";

/** Of a machine that runs. */
export function listRow(name: string, change: Partial<ListRow> = {}): ListRow {
  return {
    name,
    driverName: "none",
    state: "Running",
    url: "tcp://127.0.0.1:1",
    engineVersion: "v1",
    error: "",
    responseTimeMs: 1,
    active: "-",
    activeHost: false,
    activeSwarm: false,
    swarm: "",
    swarmOptions: undefined,
    engineOptions: undefined,
    ...change,
  };
}
