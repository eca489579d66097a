/** How this program came onto this computer: told by where it lies, and by what its installer noted beside it. */
import { realpath } from "node:fs/promises";
import * as path from "node:path";
import { readRegularFileIfExists } from "../system/files.ts";

export interface Installation {
  /** `unknown`: a file that somebody put there by hand. */
  readonly by: "deb" | "install.sh" | "homebrew" | "scoop" | "npm" | "clone" | "unknown";
  /** The program itself, links followed. */
  readonly path: string;
}

const words: Readonly<Record<Installation["by"], string>> = {
  deb: "as a Debian package",
  "install.sh": "by install.sh",
  homebrew: "by Homebrew",
  scoop: "by Scoop",
  npm: "by npm",
  clone: "in a clone",
  unknown: "by hand",
};

export function installationText({ by, path: file }: Installation): string {
  return `Installed ${words[by]}: ${file}`;
}

/** @param ownProgram the command line that starts this program */
export async function installationOf(ownProgram: readonly string[]): Promise<Installation> {
  const given = ownProgram.at(-1) ?? "";
  const file = await realpath(given).catch(() => given);
  return { by: byPlace(file) ?? (await byNote(file)) ?? (await byClone(file)) ?? "unknown", path: file };
}

function byPlace(file: string): Installation["by"] | undefined {
  const folders = file.split(/[\\/]/u);
  if (folders.includes("Cellar")) return "homebrew";
  if (folders.includes("scoop")) return "scoop";
  return folders.includes("node_modules") ? "npm" : undefined;
}

/** What install.sh and the Debian package write below their prefix. */
async function byNote(file: string): Promise<Installation["by"] | undefined> {
  const note = path.join(path.dirname(file), "..", "share", "docker-machine", "installed-by");
  const text = (await readIfAllowed(note))?.trim();
  return text === "deb" || text === "install.sh" ? text : undefined;
}

/** `build/docker-machine` and `dist/docker-machine.cjs` have what makes them beside them. */
async function byClone(file: string): Promise<"clone" | undefined> {
  return (await readIfAllowed(path.join(path.dirname(file), "..", "scripts", "build.sh"))) === undefined ? undefined : "clone";
}

async function readIfAllowed(file: string): Promise<string | undefined> {
  return (await readRegularFileIfExists(file).catch(() => undefined))?.toString("utf8");
}
