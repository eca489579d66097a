/**
 * Every script is PowerShell: read by a grammar that others wrote for editors. Our own stand-in knows our statements, and
 * could not tell if they were no statements of PowerShell at all.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Language, Parser, type Node } from "web-tree-sitter";
import { isoImage } from "../../../src/driver-kit/guest/iso.ts";
import type { FlagValue } from "../../../src/driver-kit/create-flag.ts";
import { HastyClock } from "../../support/hasty-clock.ts";
import { newWorld, openScene } from "./scene.ts";

async function powershellParser(): Promise<Parser> {
  await Parser.init();
  const grammar = fileURLToPath(import.meta.resolve("tree-sitter-powershell/tree-sitter-powershell.wasm"));
  const parser = new Parser();
  parser.setLanguage(await Language.load(grammar));
  return parser;
}

/** Where the text is no PowerShell. */
function errorsIn(parser: Parser, script: string): readonly string[] {
  const errors: string[] = [];
  const walk = (node: Node): void => {
    if (node.isError || node.isMissing) errors.push(`line ${node.startPosition.row + 1}: ${node.text.slice(0, 60)}`);
    for (const child of node.children) walk(child);
  };
  const tree = parser.parse(script);
  assert.ok(tree !== null);
  walk(tree.rootNode);
  return errors;
}

/** All that a life of a machine has PowerShell run, in each of its states. */
async function scriptsOfLife(flags: Readonly<Record<string, FlagValue>>): Promise<ReadonlySet<string>> {
  const texts = new Set<string>();
  const { hyperv, context } = newWorld(new HastyClock(), { hasKvp: true });
  const { processes } = context;
  const listening = {
    ...processes,
    run: async (...[program, args, options]: Parameters<typeof processes.run>) => {
      texts.add(Buffer.from(args.at(-1) ?? "", "base64").toString("utf16le"));
      return await processes.run(program, args, options);
    },
  };
  await using scene = await openScene({}, {}, () => ({ hyperv, context: { ...context, processes: listening } }));
  const { signal } = scene;
  const iso = path.join(scene.context.storePath, "b2d.iso");
  writeFileSync(iso, isoImage("b2d", {}));
  const wished = flags["hyperv-boot2docker-url"] === undefined ? flags : { ...flags, "hyperv-boot2docker-url": iso };
  const driver = await scene.created(wished);
  await driver.locate?.(signal);
  const put = (state: string): void => hyperv.change(scene.own().Id, (vm) => void (vm.State = state));
  await driver.restart(signal);
  put("Paused");
  await driver.start(signal);
  put("Saved");
  await driver.kill(signal);
  await driver.remove(signal);
  return texts;
}

test("each script of each kind of machine is PowerShell", async () => {
  const parser = await powershellParser();
  for (const flags of [
    {},
    { "hyperv-vlan-id": 7, "hyperv-memory-max": 2_048 },
    { "hyperv-generation": 1, "hyperv-disable-dynamic-memory": true },
    { "hyperv-secure-boot": "off" },
    { "hyperv-boot2docker-url": "a CD", "hyperv-image": "default" },
  ]) {
    const scripts = await scriptsOfLife(flags);
    assert.ok(scripts.size > 7, `${scripts.size} scripts`);
    for (const script of scripts) assert.deepEqual(errorsIn(parser, script), [], script);
  }
  assert.notDeepEqual(
    errorsIn(parser, "try{\n$vms=Hyper-V\\Get-VM|Select-Object @{n='Id';e={\n}catch{}"),
    [],
    "it would find an error",
  );
});
