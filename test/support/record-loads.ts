/** Preloaded into the program: writes which files it loaded, and which of Node's heavy parts, to the file LOADS. */
import { writeFileSync } from "node:fs";
import { registerHooks } from "node:module";

const files: string[] = [];
registerHooks({
  load(url, context, nextLoad) {
    if (url.startsWith("file:") && url !== import.meta.url) files.push(url);
    return nextLoad(url, context);
  },
});

process.once("exit", () => {
  const builtins = (process as unknown as { moduleLoadList: string[] }).moduleLoadList;
  const heavy = ["tls", "https", "http2", "readline"].filter((name) => builtins.includes(`NativeModule ${name}`));
  writeFileSync(process.env["LOADS"] ?? "", JSON.stringify({ files, heavy }));
});
