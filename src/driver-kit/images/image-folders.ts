/**
 * Machine images in the store's cache: a folder each, named by its content, with a description beside the files. A
 * machine links what it needs, so the cache may be emptied at any time. One process at a time makes an image; the others
 * wait for it. What is taken from here is checked first: a cache that was damaged must not make machines that do not
 * boot, so what does not fit its description is made anew.
 */
import * as path from "node:path";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { factsOf, hashFile, listFolder, makeReadOnly, publishFolder, removeTree, syncFile } from "../../system/disk-files.ts";
import { makePrivateDirectory, readFileIfExists, writeFileAtomic } from "../../system/files.ts";
import { lockCached } from "../cache-lock.ts";
import type { DriverContext } from "../driver.ts";
import { haveNotedTimes, noteFiles, parseNotes, problemOf, type FileNotes } from "./file-notes.ts";
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

/** Kernels and initial RAM disks, but no disk: what is in that, its digest tells. */
const readBytes = 256 * 1024 * 1024;

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
    const image = parseDescription<Facts>(bytes, digest);
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
      for (const name of this.#required) await syncFile(path.join(temporary, name));
      for (const name of this.#required) await makeReadOnly(path.join(temporary, name));
      await describe(temporary, facts, this.#required, signal);
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
      const problem = (await problemOf(folder, name, files?.[name], signal)) ?? (await emptiness(folder, name));
      if (problem !== undefined) return problem;
    }
    if (files === undefined || (await haveNotedTimes(folder, files))) return undefined;
    const disk = files[imageFiles.disk];
    const isKnown = disk === undefined || disk.fingerprint !== undefined || (await haveNotedTimes(folder, { disk }));
    if (!isKnown && !(await hasDigest(path.join(folder, imageFiles.disk), facts.digest, signal)))
      return `${imageFiles.disk} was changed`;
    await describe(folder, facts, this.#required, signal);
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
      const notes: unknown = bytes === undefined ? {} : JSON.parse(bytes.toString("utf8"));
      return Object.fromEntries(Object.entries(notes ?? {}).filter(([, digest]) => isDigest(digest))) as Record<string, string>;
    } catch {
      return {};
    }
  }
}

/** It becomes the name of a folder. */
function isDigest(value: unknown): boolean {
  return typeof value === "string" && /^(?:sha256|sha512)-[0-9a-f]+$/u.test(value);
}

async function emptiness(folder: string, name: string): Promise<string | undefined> {
  return (await factsOf(path.join(folder, name)))?.sizeBytes === 0 ? `${name} is empty` : undefined;
}

interface Description<Facts> {
  readonly facts: Facts;
  readonly files: FileNotes | undefined;
}

/** Undefined for anything but the whole description of this image. */
function parseDescription<Facts extends ImageFacts>(bytes: Buffer, digest: string): Description<Facts> | undefined {
  try {
    const { files, ...facts } = JSON.parse(bytes.toString("utf8")) as Partial<Facts> & { readonly files?: unknown };
    const isWhole = facts.digest === digest && typeof facts.format === "string" && typeof facts.virtualSizeBytes === "number";
    return isWhole ? { facts: facts as unknown as Facts, files: parseNotes(files) } : undefined;
  } catch {
    return undefined;
  }
}

/** Written last: a folder without it is no image. */
async function describe(folder: string, facts: ImageFacts, names: readonly string[], signal: AbortSignal): Promise<void> {
  const files = await noteFiles(folder, names, signal, readBytes);
  await writeFileAtomic(path.join(folder, imageFiles.facts), `${JSON.stringify({ ...facts, files }, null, 2)}\n`, 0o600);
}

/** Whether a file that was written to, or copied with its whole cache, is still what its name says. One that says nothing is not. */
async function hasDigest(file: string, digest: string, signal: AbortSignal): Promise<boolean> {
  const [, algorithm, hex] = /^(sha256|sha512)-([0-9a-f]+)$/u.exec(digest) ?? [];
  return algorithm !== undefined && (await hashFile(file, algorithm, signal)) === hex;
}
