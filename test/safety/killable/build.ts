/**
 * Run by Bun: `bun build.ts FOLDER` bundles `run-use-case.ts` into FOLDER, so that a process of it starts in a few
 * milliseconds, with file operations that can be killed one by one.
 */
import { readFile } from "node:fs/promises";
import * as path from "node:path";

/** The part of Bun's API that is used here. */
interface Bundler {
  build(options: unknown): Promise<{ readonly success: boolean; readonly logs: readonly unknown[] }>;
}
interface Loader {
  onLoad(
    match: { readonly filter: RegExp },
    load: (asked: { readonly path: string }) => Promise<{ readonly contents: string; readonly loader: "ts" }>,
  ): void;
}

const files = path.join(import.meta.dirname, "files.ts");
/** In the sources' text, because a bundler takes modules of the runtime for granted. */
const killableFiles = {
  name: "killable files",
  setup(bundler: Loader): void {
    bundler.onLoad({ filter: /\/src\/.*\.ts$/u }, async (asked) => {
      const contents = await readFile(asked.path, "utf8");
      return { contents: contents.replaceAll('from "node:fs/promises"', `from ${JSON.stringify(files)}`), loader: "ts" };
    });
  },
};

const { Bun } = globalThis as unknown as { readonly Bun: Bundler };
const built = await Bun.build({
  entrypoints: [path.join(import.meta.dirname, "../run-use-case.ts")],
  outdir: process.argv[2],
  target: "bun",
  splitting: true,
  // A native addon that ssh2 does without; where install scripts do not run it is not there.
  external: ["cpu-features"],
  plugins: [killableFiles],
});
if (!built.success) throw new Error(built.logs.map(String).join("\n"));
