/** Where a machine's folder may not be mounted: over what it takes to reach that machine. */
import * as path from "node:path";
import { MachineError } from "../errors/machine-error.ts";
import type { MachineContext } from "../machine/machine-context.ts";
import type { SshTarget } from "../ssh/executor.ts";
import { realPathOf } from "../system/disk-files.ts";

/**
 * Throws `usage` where the mount would cover the key, the store or the user's home: what stands below a mount point is not
 * there as long as it is mounted, so that sshfs would wait for itself, and nobody could log in any more.
 */
export async function requireFreeMountPoint(
  { computer, store }: Pick<MachineContext, "computer" | "store">,
  target: Pick<SshTarget, "identityFile" | "hostKeys">,
  mountPoint: string,
): Promise<void> {
  const place = await realPathOf(path.resolve(computer.cwd, mountPoint));
  const { homeDir } = computer;
  const needed = [
    [homeDir, "your home"],
    [homeDir && path.join(homeDir, ".ssh"), "your settings of ssh"],
    [store.root, "the store"],
    [target.hostKeys.knownHostsFile, "the machine's folder in the store"],
    [target.identityFile, "the key that opens the machine"],
  ] as const;
  for (const [file, what] of needed) {
    if (file === undefined || !isWithin(await realPathOf(file), place)) continue;
    throw new MachineError("usage", `Nothing can be mounted at ${mountPoint}: it would cover ${what} (${file})`, {
      hint: "Give an empty folder behind it: docker-machine mount MACHINE:PATH FOLDER",
    });
  }
}

function isWithin(file: string, folder: string): boolean {
  return path.relative(folder, file).split(path.sep)[0] !== "..";
}
