/** What a connection and a command cost: see `test/ssh/ssh-bench.ts`. */
import { measureSsh } from "../ssh/ssh-bench.ts";
import type { Row } from "./measure.ts";

export async function measure(): Promise<readonly Row[] | string> {
  const measured = await measureSsh();
  return measured === undefined ? "there is no sshd here" : measured.map(({ what, ms }) => ({ what, value: ms }));
}
