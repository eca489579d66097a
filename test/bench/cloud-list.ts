/** `ls` of a hundred machines at clouds whose engines answer. */
import { addCloudMachines } from "../support/cloud-store.ts";
import { Program } from "../e2e/program.ts";
import { medianOf, type Row } from "./measure.ts";

const count = 100;

export async function measureList(): Promise<readonly Row[]> {
  await using program = await Program.open();
  await program.ok(["create", "-d", "none", "--url", "tcp://127.0.0.1:1", "seed"]);
  await using cloud = await addCloudMachines(program.store, "seed", count);
  await program.ok(["rm", "-y", "seed"]);
  const list = async (): Promise<string> => await program.ok(["ls"]);
  const running = (await list()).match(/\bRunning\b/gu)?.length ?? 0;
  if (running !== count) throw new Error(`ls tells ${running} of ${count} machines as running`);
  const value = await medianOf(list);
  return [
    { what: `ls of ${count} machines at clouds, all running`, value },
    { what: "  requests to providers", value: cloud.heard.length, unit: "", target: 0 },
  ];
}
