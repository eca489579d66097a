/**
 * Machine images in the store's cache: a folder each, named by its content, with a description beside the files. A
 * machine links what it needs, so the cache may be emptied at any time. One process at a time makes an image; the others
 * wait for it. What is taken from here is checked first: a cache that was damaged must not make machines that do not
 * boot, so what does not fit its description is made anew.
 */
import * as path from "node:path";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { factsOf, hashFile, listFolder, makeReadOnly, publishFolder, removeTree } from "../../system/disk-files.ts";
import { makePrivateDirectory, readFileIfExists, writeFileAtomic } from "../../system/files.ts";
import { lockCached } from "../cache-lock.ts";
import type { DriverContext } from "../driver.ts";
import type { GuestArch } from "./guest-arch.ts";

export interface ImageFacts {
  /** Names the content: its checksum (`sha256-HEX`, `sha512-HEX`) or what it was made of. */
  readonly digest: string;
  /** For messages: what the user would call it. */
  readonly title: string;
  readonly arch: GuestArch;
  readonly format: "raw" | "qcow2";
  /** Size the guest sees; a machine's disk is at least as large. */
  readonly virtualSizeBytes: number;
}

/** What was written beside the image about its files. Absent from what older versions wrote. */
interface FileNote {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

export type Stored<Facts extends ImageFacts> = Facts & { readonly folder: string };

/** In an image's folder: its description, and the disk. */
export const imageFiles = { facts: "image.json", disk: "disk" } as const;

const lockedWork = {
  what: "The machine image",
  purpose: "prepare a machine image",
  holderDoes: "prepares the same image",
};

export class ImageFolders<Facts extends ImageFacts> {
  /** Exists once something is in it. */
  readonly folder: string;
  readonly #context: DriverContext;
  readonly #required: readonly string[];
  readonly #reported = new Set<string>();

  /** @param required files that every image of this kind has, beside its description. */
  constructor(context: DriverContext, folder: string, required: readonly string[] = [imageFiles.disk]) {
    this.#context = context;
    this.folder = folder;
    this.#required = required;
  }

  /** The image of that name, if it is there, complete and as it was left. Reports one that is not, once. */
  async find(digest: string, signal: AbortSignal): Promise<Stored<Facts> | undefined> {
    const folder = path.join(this.folder, digest);
    const bytes = await readFileIfExists(path.join(folder, imageFiles.facts));
    if (bytes === undefined) return undefined;
    const image = parseDescription<Facts>(bytes);
    const problem = image === undefined ? "its description cannot be read" : await this.#problemOf(folder, image, signal);
    if (image !== undefined && problem === undefined) return { ...image.facts, folder };
    if (!this.#reported.has(digest)) {
      this.#reported.add(digest);
      logTo(this.#context.report, "warn", `The image in ${folder} is damaged (${problem}) and is made anew.`);
    }
    return undefined;
  }

  /**
   * The image of that name, which `fill` makes in an empty folder and describes if it is not there. Throws what `fill`
   * throws, `machine-busy`, or the signal's reason.
   * @param anew make it although it is there.
   */
  async provide(
    digest: string,
    anew: boolean,
    signal: AbortSignal,
    fill: (folder: string) => Promise<Facts>,
  ): Promise<Stored<Facts>> {
    const folder = path.join(this.folder, digest);
    const before = anew ? undefined : await this.find(digest, signal);
    if (before !== undefined) return before;
    await makePrivateDirectory(this.folder);
    await using _lock = await lockCached(this.#context, `${folder}.lock`, lockedWork, signal);
    const meanwhile = anew ? undefined : await this.find(digest, signal);
    if (meanwhile !== undefined) return meanwhile;
    await this.#removeLeftovers(digest);
    await publishFolder(folder, async (temporary) => {
      const facts = await fill(temporary);
      await makeReadOnly(path.join(temporary, imageFiles.disk));
      await describe(temporary, facts, this.#required);
      // What is wanted anew, or turned out to be damaged.
      await removeTree(folder);
    });
    const image = await this.find(digest, signal);
    if (image !== undefined) return image;
    throw new MachineError("image-unusable", `The image in ${folder} is incomplete`, {
      hint: "Remove the folder and run the command again.",
    });
  }

  /** Why the files are not those that were described; undefined when they are. */
  async #problemOf(folder: string, { facts, files }: Description<Facts>, signal: AbortSignal): Promise<string | undefined> {
    for (const name of this.#required) {
      const file = path.join(folder, name);
      const found = await factsOf(file);
      if (found === undefined) return `${name} is missing`;
      const noted = files?.[name];
      if (noted !== undefined && found.sizeBytes !== noted.sizeBytes)
        return `${name} has ${found.sizeBytes} bytes instead of ${noted.sizeBytes}`;
      if (found.sizeBytes === 0) return `${name} is empty`;
      if (noted === undefined || found.modifiedMs === noted.modifiedMs || name !== imageFiles.disk) continue;
      if (!(await hasDigest(file, facts.digest, signal))) return `${name} was changed`;
      await describe(folder, facts, this.#required);
    }
    return undefined;
  }

  /** What a killed process left; safe under the lock. */
  async #removeLeftovers(digest: string): Promise<void> {
    for (const name of await listFolder(this.folder)) {
      if (name.startsWith(`${digest}.tmp-`)) await removeTree(path.join(this.folder, name));
    }
  }

  /** Which image a URL or a file was the last time. Only a shortcut: a lost or stale note costs time. */
  async digestOf(key: string): Promise<string | undefined> {
    return (await this.#notes())[key];
  }

  async remember(key: string, digest: string): Promise<void> {
    await makePrivateDirectory(this.folder);
    const notes = { ...(await this.#notes()), [key]: digest };
    await writeFileAtomic(path.join(this.folder, "known.json"), `${JSON.stringify(notes, null, 2)}\n`, 0o600);
  }

  async #notes(): Promise<Readonly<Record<string, string>>> {
    const bytes = await readFileIfExists(path.join(this.folder, "known.json"));
    try {
      return bytes === undefined ? {} : (JSON.parse(bytes.toString("utf8")) as Record<string, string>);
    } catch {
      return {};
    }
  }
}

interface Description<Facts> {
  readonly facts: Facts;
  readonly files: Readonly<Record<string, FileNote>> | undefined;
}

function parseDescription<Facts extends ImageFacts>(bytes: Buffer): Description<Facts> | undefined {
  try {
    const { files, ...facts } = JSON.parse(bytes.toString("utf8")) as Facts & Pick<Description<Facts>, "files">;
    return { facts: facts as unknown as Facts, files };
  } catch {
    return undefined;
  }
}

/** Written last: a folder without it is no image. */
async function describe(folder: string, facts: ImageFacts, names: readonly string[]): Promise<void> {
  const files: Record<string, FileNote> = {};
  for (const name of names) {
    const found = await factsOf(path.join(folder, name));
    if (found !== undefined) files[name] = { sizeBytes: found.sizeBytes, modifiedMs: found.modifiedMs };
  }
  await writeFileAtomic(path.join(folder, imageFiles.facts), `${JSON.stringify({ ...facts, files }, null, 2)}\n`, 0o600);
}

/** Whether a file that was written to, or copied with its whole cache, is still what its name says. */
async function hasDigest(file: string, digest: string, signal: AbortSignal): Promise<boolean> {
  const [, algorithm, hex] = /^(sha256|sha512)-([0-9a-f]+)$/u.exec(digest) ?? [];
  return algorithm === undefined || (await hashFile(file, algorithm, signal)) === hex;
}
