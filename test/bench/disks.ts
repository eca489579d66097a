/**
 * Disk formats: a qcow2 image into what each hypervisor takes, beside `qemu-img convert` in the same run. Ours runs as a
 * program of its own, compiled as the executable is, so that its memory is its own.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, open, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import type { Row } from "./measure.ts";
import { median, timeOf } from "./measure.ts";

const mib = 1 << 20;
const diskBytes = 2048 * mib;
const mostMiB = 100;
/** The reciprocal of half of qemu-img's speed: our time is at most twice its time. */
const mostTimes = 2;

/** What `convert-program.ts` writes, and qemu-img's words for the same. */
const targets = [
  { kind: "raw", qemuImg: ["-O", "raw"], times: 3 },
  { kind: "vhd", qemuImg: ["-O", "vpc", "-o", "subformat=fixed,force_size=on"], times: 3 },
  { kind: "vmdk", qemuImg: ["-O", "vmdk", "-o", "subformat=streamOptimized"], times: 1 },
] as const;

export async function measureDisks(): Promise<readonly Row[] | string> {
  if (spawnSync("qemu-img", ["--version"]).status !== 0) return "qemu-img is not installed";
  const folder = await mkdtemp(path.join(tmpdir(), "bench-disks-"));
  try {
    const program = path.join(folder, "convert");
    execFileSync("bun", ["build", "test/bench/convert-program.ts", "--compile", "--outfile", program], { stdio: "ignore" });
    const raw = path.join(folder, "disk.raw");
    const contentBytes = await makeDisk(raw);
    const rows: Row[] = [];
    for (const compression of ["zlib", "zstd"]) {
      const image = path.join(folder, `${compression}.qcow2`);
      execFileSync("qemu-img", [
        "convert",
        "-f",
        "raw",
        "-O",
        "qcow2",
        "-c",
        "-o",
        `compression_type=${compression}`,
        raw,
        image,
      ]);
      for (const target of targets)
        rows.push(...(await measureTarget(program, { folder, image, contentBytes, compression }, target)));
    }
    return rows;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A disk of programs, with holes between its parts; the number of bytes that are no hole. */
async function makeDisk(file: string): Promise<number> {
  const programs = await Promise.all([process.execPath, await bunPath()].map(async (program) => await readFile(program)));
  const content = Buffer.concat(programs);
  await using disk = await open(file, "w");
  await disk.truncate(diskBytes);
  const part = 16 * mib;
  for (let done = 0; done < content.length; done += part)
    await disk.write(content, done, Math.min(part, content.length - done), done * 4);
  return content.length;
}

async function bunPath(): Promise<string> {
  return execFileSync("bun", ["-e", "console.log(process.execPath)"], { encoding: "utf8" }).trim();
}

interface Sample {
  readonly folder: string;
  readonly image: string;
  readonly contentBytes: number;
  readonly compression: string;
}

async function measureTarget(
  program: string,
  sample: Sample,
  { kind, qemuImg, times }: (typeof targets)[number],
): Promise<Row[]> {
  const { folder, image, contentBytes, compression } = sample;
  const [ours, theirs] = [path.join(folder, `ours.${kind}`), path.join(folder, `theirs.${kind}`)];
  const [ourMs, theirMs, peaks]: [number[], number[], number[]] = [[], [], []];
  for (let turn = 0; turn < times; turn += 1) {
    await rm(ours, { force: true });
    ourMs.push(
      await timeOf(async () => void peaks.push(Number(execFileSync(program, [kind, image, ours], { encoding: "utf8" })))),
    );
    theirMs.push(await timeOf(async () => void execFileSync("qemu-img", ["convert", "-f", "qcow2", ...qemuImg, image, theirs])));
  }
  if ((await stat(ours)).size === 0) throw new Error(`${kind}: nothing was written`);
  const speed = (ms: number): number => contentBytes / mib / (ms / 1000);
  const what = `qcow2 (${compression}) to ${kind}`;
  return [
    { what: `${what}, qemu-img`, value: speed(median(theirMs)), unit: "MB/s" },
    { what, value: speed(median(ourMs)), unit: "MB/s" },
    { what: `${what}, its time in qemu-img's`, value: median(ourMs) / median(theirMs), unit: "x", target: mostTimes },
    { what: `${what}, peak memory`, value: Math.max(...peaks), unit: "MB", target: mostMiB },
  ];
}
