/** What durability costs a command: taking and giving a lock, saving a changed record, noting a step in the journal. */
import { mkdtemp, open, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { Journal } from "../../src/machine/interruption/journal.ts";
import { FileStore } from "../../src/store/file-store.ts";
import { systemClock } from "../../src/system/clock.ts";
import { Program } from "../e2e/program.ts";
import { medianOf, type Row } from "./measure.ts";

const times = 50;
const targetMs = 5;

export async function measureLocks(): Promise<readonly Row[]> {
  await using program = await Program.open();
  await program.ok(["create", "-d", "none", "--url", "tcp://127.0.0.1:1", "one"]);
  const store = new FileStore(program.store, systemClock);
  const record = await store.load("one");
  const folder = await mkdtemp(path.join(tmpdir(), "bench-journal-"));
  const journal = await Journal.open({
    machineDir: folder,
    command: "provision",
    createId: "",
    by: "",
    publish: async () => {},
    clock: systemClock,
  });
  let turn = 0;
  const lockMs = await medianOf(async () => {
    await using _lock = await store.lockMachine("one", { purpose: "bench", waitMs: 0 });
  }, times);
  const saveMs = await medianOf(async () => {
    record.hostOptions.EngineOptions.Labels = [`turn=${(turn += 1)}`];
    await store.save(record);
  }, times);
  const stepMs = await medianOf(async () => await journal.step("provision", async () => {}), times);
  const bareMs = await medianOf(async () => await replaceBarely(folder, JSON.stringify(record)), times);
  await rm(folder, { recursive: true });
  return [
    { what: "what the disk takes to replace a file durably", value: bareMs },
    { what: "a machine's lock, taken and given back", value: lockMs },
    { what: "a changed record, saved durably", value: saveMs },
    { what: "a journal step, begun and done", value: stepMs },
    { what: "one command: lock, step and save", value: lockMs + saveMs + stepMs, target: targetMs },
  ];
}

/** No more than what makes a replaced file survive a power cut. */
async function replaceBarely(folder: string, text: string): Promise<void> {
  const [target, fresh] = [path.join(folder, "config.json"), path.join(folder, "fresh")];
  const file = await open(fresh, "wx");
  await file.writeFile(text);
  await file.sync();
  await file.close();
  await rename(fresh, target);
  const parent = await open(folder, "r");
  await parent.sync();
  await parent.close();
}
