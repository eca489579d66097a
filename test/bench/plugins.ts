/** What plugins cost: see `test/plugin/plugin-bench.ts`. */
import { measurePlugins } from "../plugin/plugin-bench.ts";
import type { Row } from "./measure.ts";

export async function measure(): Promise<readonly Row[] | string> {
  const measured = await measurePlugins();
  if (measured === undefined) return "there is no go here to build the peer with";
  return measured.map(({ what, ms, boundMs }) => ({ what, value: ms, target: boundMs }));
}
