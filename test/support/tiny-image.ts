/** A container image of one static program, Debian's busybox, as a tar archive for `docker import`. */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";

const applets = ["sh", "echo", "sleep", "cat", "id"];

export async function tinyImage(): Promise<Buffer> {
  const folder = await mkdtemp(path.join(tmpdir(), "tiny-image-"));
  try {
    await mkdir(path.join(folder, "root/bin"), { recursive: true });
    await cp("/bin/busybox", path.join(folder, "root/bin/busybox"));
    for (const applet of applets) await symlink("busybox", path.join(folder, "root/bin", applet));
    await promisify(execFile)("tar", ["-C", path.join(folder, "root"), "-cf", path.join(folder, "tiny.tar"), "."]);
    return await readFile(path.join(folder, "tiny.tar"));
  } finally {
    await rm(folder, { recursive: true });
  }
}
