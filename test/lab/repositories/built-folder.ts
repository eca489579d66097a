/** Folders that are built in a container once for each content of their script, and kept beside the lab's images. */
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import * as path from "node:path";
import { lockFile } from "../../../src/system/file-lock.ts";
import { readFileIfExists } from "../../../src/system/files.ts";
import type { LabEngine } from "../engine.ts";
import { buildBoundMs, buildWaitMs, type ImageStore } from "../images.ts";
import { readOuterApt, sourceLines } from "../outer-apt.ts";
import { labPaths } from "../paths.ts";
import { releases } from "../recipes.ts";

export interface FolderRecipe {
  readonly what: string;
  readonly image: string;
  /** Scripts beside this file, one after the other; they make `/repository` with the file `fingerprint` in it. */
  readonly scripts: readonly string[];
}

/** Where the folder is, built now when it is not there. */
export async function requireFolder(engine: LabEngine, images: ImageStore, recipe: FolderRecipe): Promise<string> {
  const texts = await Promise.all(recipe.scripts.map((name) => readFile(new URL(name, import.meta.url), "utf8")));
  const script = texts.join("\n");
  const apt = await readOuterApt();
  const key = createHash("sha256")
    .update(JSON.stringify([script, apt]))
    .digest("hex")
    .slice(0, 16);
  const folder = path.join(labPaths.repositories, key);
  await mkdir(labPaths.repositories, { recursive: true });
  await using _ = await lockFile(`${folder}.lock`, { what: recipe.what, purpose: "build", waitMs: buildWaitMs });
  if ((await readFileIfExists(path.join(folder, "fingerprint"))) !== undefined) return folder;
  const sources = releases.map((release) => `SOURCES_${release}=${sourceLines(apt, release).join("\n")}`);
  await images.inContainer(await images.require(recipe.image), script, sources, async (container) => {
    const incoming = `${folder}.new`;
    await rm(incoming, { recursive: true, force: true });
    await engine.docker(["cp", `${container}:/repository`, incoming], { timeoutMs: buildBoundMs });
    await rm(folder, { recursive: true, force: true });
    await rename(incoming, folder);
  });
  return folder;
}
