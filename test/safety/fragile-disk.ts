/** A file system of its own whose power can be cut: what was not made durable is gone, as after pulling the plug. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

/** Linux's EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH: nothing in memory reaches the disk any more, the log neither. */
const cutPower = 'open(F, "<", $ARGV[0]) or die; my $flags = pack("L", 2); ioctl(F, 0x8004587d, $flags) or die "$!";';
/** Nothing is written before its time: not after some seconds, and a rename does not push its file's bytes ahead. */
const mountOptions = "loop,commit=1000,noauto_da_alloc";

export class FragileDisk implements Disposable {
  readonly #scratch = mkdtempSync(path.join(tmpdir(), "docker-machine-disk-"));
  #image = path.join(this.#scratch, "image");
  #cuts = 0;
  /** Where it is mounted. */
  readonly folder = path.join(this.#scratch, "mounted");

  /** The disk, or the reason why there can be none. */
  static open(): FragileDisk | string {
    const disk = new FragileDisk();
    writeFileSync(disk.#image, Buffer.alloc(16 << 20));
    mkdirSync(disk.folder);
    const failure = run("mkfs.ext4", "-q", "-F", disk.#image) ?? disk.#mount();
    if (failure === undefined) return disk;
    disk[Symbol.dispose]();
    return `no file system can be mounted here: ${failure}`;
  }

  #mount(): string | undefined {
    return run("mount", "-o", mountOptions, this.#image, this.folder);
  }

  /** All of it as it is now survives. */
  sync(): void {
    assert.equal(run("sync", "-f", this.folder), undefined);
  }

  /**
   * Off and on again. It comes back as a copy of what the disk held: someone's mount namespace that was made meanwhile, of
   * a container for instance, may keep the dead file system mounted.
   */
  cutPower(): void {
    assert.equal(run("perl", "-e", cutPower, this.folder), undefined);
    assert.equal(run("umount", "-l", this.folder), undefined);
    const dead = this.#image;
    this.#image = path.join(this.#scratch, `image-${(this.#cuts += 1)}`);
    copyFileSync(dead, this.#image);
    rmSync(dead);
    assert.equal(this.#mount(), undefined);
  }

  [Symbol.dispose](): void {
    run("umount", "-l", this.folder);
    rmSync(this.#scratch, { recursive: true, force: true });
  }
}

/** What a program complained of; undefined when all went well. */
function run(program: string, ...args: readonly string[]): string | undefined {
  const { status, stderr, error } = spawnSync(program, args, { encoding: "utf8" });
  return status === 0 ? undefined : (error?.message ?? stderr.trim());
}
