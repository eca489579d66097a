/** A small file that hot commands look into, with nothing loaded for it where the runtime reads files by itself. */

declare const Bun: { file(file: string): { readonly size: number; text(): Promise<string> } } | undefined;

/** The text of a regular file; undefined for what is none, is empty, or cannot be read. */
export async function readSmallFile(file: string): Promise<string | undefined> {
  if (typeof Bun === "undefined") return (await import("./files.ts")).readRegularFileNow(file) || undefined;
  const found = Bun.file(file);
  // 0 for what is not there; what has no size is no file, and may never end.
  if (found.size === 0 || !Number.isFinite(found.size)) return undefined;
  return await found.text().catch(() => undefined);
}
