/**
 * Finds driver plugins: programs named `docker-machine-driver-NAME` on PATH, or a program given by its absolute path.
 * Starts none of them.
 */
import { constants } from "node:fs";
import { access, readdir, stat } from "node:fs/promises";
import * as path from "node:path";
import type { Computer } from "../system/computer.ts";
import { nameOfProgram, pluginPrefix, programEndings } from "./plugin-environment.ts";

export interface PluginLocation {
  /** The driver's name as the record holds it: the part behind the prefix, or the absolute path that was given. */
  readonly name: string;
  /** Absolute path. */
  readonly program: string;
}

/** The plugin of a driver, or undefined. As in Go, the first folder of PATH that has it counts. */
export async function findPlugin(name: string, computer: Computer): Promise<PluginLocation | undefined> {
  if (path.isAbsolute(name)) return (await isProgram(name)) ? { name, program: name } : undefined;
  if (name === "" || /[/\\]/u.test(name)) return undefined;
  for (const folder of searchFolders(computer)) {
    for (const ending of programEndings(computer)) {
      const program = path.join(folder, `${pluginPrefix}${name}${ending}`);
      if (await isProgram(program)) return { name, program };
    }
  }
  return undefined;
}

/** All plugins on PATH, by name; of several with one name the one that would be run. Folders that cannot be read are passed over. */
export async function listPlugins(computer: Computer): Promise<readonly PluginLocation[]> {
  const folders = await Promise.all(searchFolders(computer).map(async (folder) => await listFolder(folder, computer)));
  const byName = new Map<string, PluginLocation>();
  for (const location of folders.flat()) {
    if (!byName.has(location.name)) byName.set(location.name, location);
  }
  return [...byName.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

async function listFolder(folder: string, computer: Computer): Promise<PluginLocation[]> {
  const files = await readdir(folder).catch(() => []);
  const candidates = files.flatMap((file) => {
    const name = nameOfProgram(file, computer);
    return name === undefined ? [] : [{ name, program: path.join(folder, file) }];
  });
  const runnable = await Promise.all(candidates.map(async ({ program }) => await isProgram(program)));
  return candidates.filter((_, index) => runnable[index]);
}

/** Folders of PATH in order. Relative ones are left out, as newer Go refuses them: they would run what lies in the current folder. */
function searchFolders(computer: Computer): string[] {
  const folders = (computer.env["PATH"] ?? "").split(computer.os === "windows" ? ";" : ":");
  return [...new Set(folders.filter((folder) => path.isAbsolute(folder)))];
}

async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
