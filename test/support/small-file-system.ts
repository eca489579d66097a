/** A file system in memory that has little room, for tests of what is left when it is full. Mounting takes root. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

export class SmallFileSystem implements Disposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Why there can be none here, or it. */
  static mount(kib: number): SmallFileSystem | string {
    const folder = mkdtempSync(path.join(tmpdir(), "docker-machine-small-"));
    const { status, stderr } = run("mount", "-t", "tmpfs", "-o", `size=${kib}k`, "docker-machine-test", folder);
    if (status === 0) return new SmallFileSystem(folder);
    rmdirSync(folder);
    return `no file system can be mounted here: ${stderr.trim()}`;
  }

  resize(kib: number): void {
    const { status, stderr } = run("mount", "-o", `remount,size=${kib}k`, this.folder);
    if (status !== 0) throw new Error(stderr);
  }

  [Symbol.dispose](): void {
    run("umount", "-l", this.folder);
    rmdirSync(this.folder);
  }
}

function run(program: string, ...args: readonly string[]) {
  return spawnSync(program, args, { encoding: "utf8" });
}
