/** Virtual machines on this computer: the first of an image, later ones from its saved state, stop and start, five at once, memory. */
import { readdir, readFile, readlink } from "node:fs/promises";
import * as path from "node:path";
import { SystemProcessRunner } from "../../src/system/process.ts";
import { thisComputer } from "../../src/system/computer.ts";
import { Program } from "../e2e/program.ts";
import { timeOf, type Row } from "./measure.ts";

const restoredTargetMs = 3_000;
const longMs = 1_200_000;
const five = ["v1", "v2", "v3", "v4", "v5"] as const;

export async function measureMachines(): Promise<readonly Row[] | string> {
  const processes = new SystemProcessRunner(thisComputer());
  for (const name of ["qemu-system-x86_64", "mmdebstrap"])
    if ((await processes.find(name)) === undefined) return `${name} is not installed`;
  await using program = await Program.open();
  const create = async (...names: string[]): Promise<number> =>
    await timeOf(
      async () => await program.ok(["create", "-d", "qemu", "--qemu-memory", "1024", ...names], { timeoutMs: longMs }),
    );
  try {
    const first = await create("first");
    const second = await timeToAnswer(program, "second");
    const stop = await timeOf(async () => await program.ok(["stop", "second"], { timeoutMs: longMs }));
    const start = await timeOf(async () => await program.ok(["start", "second"], { timeoutMs: longMs }));
    const memory = await residentMiB(program);
    const atOnce = await create(...five);
    return [
      { what: "create of the first, image built and state saved", value: first },
      { what: "create of the next, from the saved state, to a TLS answer", value: second, target: restoredTargetMs },
      { what: "stop", value: stop },
      { what: "start", value: start },
      { what: "create of five at once", value: atOnce, note: `${(atOnce / five.length).toFixed(0)} ms a machine` },
      { what: "memory of a machine of 1024 MiB", value: memory, unit: "MiB" },
    ];
  } finally {
    const names = await readdir(path.join(program.store, "machines")).catch(() => []);
    if (names.length > 0) await program.run(["rm", "-f", ...names], { timeoutMs: longMs });
  }
}

/** From the command's start until the engine has answered over TLS; the command then waits for SSH too. */
async function timeToAnswer(program: Program, name: string): Promise<number> {
  const startedMs = Date.now();
  const events = await program.ok(["--output", "json", "create", "-d", "qemu", "--qemu-memory", "1024", name], {
    timeoutMs: longMs,
  });
  const ready = events.split("\n").find((line) => line.includes('"engine-ready"')) ?? "{}";
  return Date.parse((JSON.parse(ready) as { time?: string }).time ?? "") - startedMs;
}

/** Mean memory of this store's QEMU processes; of what several share, each has its part. */
async function residentMiB(program: Program): Promise<number> {
  const sizes: number[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/u.test(name))) {
    // QEMU runs in its machine's folder, and its command line names no other place.
    const folder = await readlink(`/proc/${pid}/cwd`).catch(() => "");
    if (!folder.startsWith(path.join(program.store, "machines"))) continue;
    const memory = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
    sizes.push(Number(/^Pss:\s+(\d+)/mu.exec(memory)?.[1] ?? 0) / 1024);
  }
  return sizes.reduce((sum, size) => sum + size, 0) / Math.max(1, sizes.length);
}
