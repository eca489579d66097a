/** What files take up on the disk. */
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { systemCodeOf } from "../errors/machine-error.ts";
import { explainFileError } from "./files.ts";

export interface DiskUsage {
  /** Bytes that the disk has given for it. */
  readonly sizeBytes: number;
  /** Of them, those of files without a second name elsewhere. */
  readonly freesBytes: number;
  /** The youngest change of anything in it. */
  readonly modifiedMs: number;
}

/** What a file, or a folder with all in it, takes up on the disk. Symbolic links count as themselves; what vanishes meanwhile, not. */
export async function usageOf(target: string): Promise<DiskUsage> {
  try {
    const stat = await fs.lstat(target);
    if (!stat.isDirectory()) {
      // Windows tells no blocks.
      const sizeBytes = process.platform === "win32" ? stat.size : stat.blocks * 512;
      return { sizeBytes, freesBytes: stat.nlink > 1 ? 0 : sizeBytes, modifiedMs: stat.mtimeMs };
    }
    const inner = await Promise.all((await fs.readdir(target)).map(async (name) => await usageOf(path.join(target, name))));
    return {
      sizeBytes: inner.reduce((sum, each) => sum + each.sizeBytes, 0),
      freesBytes: inner.reduce((sum, each) => sum + each.freesBytes, 0),
      modifiedMs: Math.max(stat.mtimeMs, ...inner.map((each) => each.modifiedMs)),
    };
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return { sizeBytes: 0, freesBytes: 0, modifiedMs: 0 };
    throw explainFileError(error, target, "read");
  }
}
