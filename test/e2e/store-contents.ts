/** What a store holds, in a form that can be compared: every file with its mode and content. */
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import * as path from "node:path";

/** Path → mode and content. Lock files are left out: they are empty, and stay. */
export async function readStore(store: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(store, { recursive: true, withFileTypes: true }).catch(() => []);
  const contents: [string, string][] = [];
  for (const entry of entries) {
    const file = path.join(entry.parentPath, entry.name);
    const relative = path.relative(store, file);
    if (relative.startsWith("locks") || relative === "machines") continue;
    const mode = ((await stat(file)).mode & 0o777).toString(8);
    const content = entry.isDirectory()
      ? "folder"
      : createHash("sha256")
          .update(await readFile(file))
          .digest("hex");
    contents.push([relative, `${mode} ${content}`]);
  }
  return Object.fromEntries(contents.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Names of the machines that have a folder, temporary and hidden ones included. */
export async function machineFolders(store: string): Promise<string[]> {
  return await readdir(path.join(store, "machines")).catch(() => []);
}
