/** Files that the documents show are ones that the program takes. */
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { it } from "node:test";
import { openCommandLine } from "./command-line.ts";

/** The one that the document shows. */
async function shown(document: string): Promise<string> {
  const blocks = [...(await readFile(document, "utf8")).matchAll(/^```yaml\n([\s\S]*?)^```$/gmu)];
  assert.equal(blocks.length, 1, document);
  return blocks[0]?.[1] ?? "";
}

it("the fleet of docs/fleet.md is planned", async () => {
  await using shell = await openCommandLine();
  await writeFile(path.join(shell.folder, "work/machines.yml"), await shown("docs/fleet.md"));
  assert.match(
    await shell.ok("plan"),
    /^ +\+ web-\[1-3\] +create: digitalocean, engine 28\.3, protected$[\s\S]*^6 to create\.$/mu,
  );
});

it("the settings of docs/options.md are good", async () => {
  await using shell = await openCommandLine();
  const folder = path.join(shell.folder, "home/.config/docker-machine");
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, "config.yml"), await shown("docs/options.md"));
  assert.match(await shell.ok("settings check"), /config\.yml is good; its profiles are big, emulated\.$/mu);
});
