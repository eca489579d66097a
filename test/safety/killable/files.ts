/** `node:fs/promises` in which everything that changes a file system is an instant; built into the program in its place. */
import * as fs from "node:fs/promises";
import { instant } from "./instant.ts";

export { access, constants, lstat, mkdtemp, readdir, readFile, readlink, realpath, stat, statfs } from "node:fs/promises";

// oxlint-disable-next-line typescript/no-explicit-any -- any function of the module, as it is
type AnyFunction = (...args: any[]) => any;

function killable<Original extends AnyFunction>(original: Original): Original {
  return ((...args: Parameters<Original>) => {
    instant();
    return original(...args) as ReturnType<Original>;
  }) as Original;
}

export const chmod = killable(fs.chmod);
export const copyFile = killable(fs.copyFile);
export const link = killable(fs.link);
export const mkdir = killable(fs.mkdir);
export const rename = killable(fs.rename);
export const rm = killable(fs.rm);
export const rmdir = killable(fs.rmdir);
export const writeFile = killable(fs.writeFile);

const changing = ["writeFile", "appendFile", "write", "chmod", "sync", "datasync", "truncate"] as const;

/** Flags by which an opened file, or one that is made by that, can change. */
const writing = fs.constants.O_WRONLY | fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_TRUNC;

export async function open(...[path, flags, mode]: Parameters<typeof fs.open>): Promise<fs.FileHandle> {
  const mayChange = typeof flags === "number" ? (flags & writing) !== 0 : flags !== "r";
  if (mayChange) instant();
  const handle = await fs.open(path, flags, mode);
  if (mayChange)
    for (const name of changing)
      Object.defineProperty(handle, name, { value: killable((handle[name] as AnyFunction).bind(handle)) });
  return handle;
}
