/** The `openssl` program, which knows nothing of how we make certificates. */
import { spawnSync } from "node:child_process";

/** All that it prints, on either stream. */
export function openssl(...args: readonly string[]): string {
  const { stdout, stderr } = spawnSync("openssl", args, { encoding: "utf8" });
  return (stdout + stderr).trim();
}
