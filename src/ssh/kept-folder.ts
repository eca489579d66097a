/**
 * A private folder that is gone with this process, also where that is killed: a small shell waits for the end of its input,
 * which comes then, and removes it. A line of input says that it is gone already.
 */
import { rm } from "node:fs/promises";
import type { Computer } from "../system/computer.ts";
import type { ProcessRunner } from "../system/process.ts";
import { makePrivateFolder } from "./private-folder.ts";

export interface KeptFolder extends AsyncDisposable {
  readonly path: string;
}

const keeperScript = `trap '' PIPE INT TERM HUP
read -r _ && exit
rm -rf "$0"`;

export async function openKeptFolder(
  computer: Pick<Computer, "env" | "os">,
  processes: Pick<ProcessRunner, "spawn">,
): Promise<KeptFolder> {
  const path = await makePrivateFolder(computer);
  const keeper = processes.spawn("/bin/sh", ["-c", keeperScript, path], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  keeper.on("error", () => {});
  keeper.stdin?.on("error", () => {});
  keeper.unref();
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      await rm(path, { recursive: true, force: true });
      keeper.stdin?.end("\n");
    },
  };
}
