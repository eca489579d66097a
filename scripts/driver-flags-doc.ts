/**
 * The tables of flags in docs/drivers, made from the drivers' own: `node scripts/driver-flags-doc.ts` writes those that stand
 * between the two marks anew.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { builtinDrivers } from "../src/drivers/registry.ts";
import { defaultValue, type CreateFlag } from "../src/driver-kit/create-flag.ts";

const folder = "docs/drivers";
const begin = "<!-- flags -->\n";
const end = "<!-- /flags -->";

/** The documents that hold such a table, with what they hold and what they should. */
export async function flagDocuments(): Promise<
  readonly { readonly file: string; readonly is: string; readonly ought: string }[]
> {
  const files = readdirSync(folder).filter((name) => name.endsWith(".md"));
  const all = await Promise.all(files.map(async (name) => await documentOf(name)));
  return all.filter((document) => document !== undefined);
}

async function documentOf(
  name: string,
): Promise<{ readonly file: string; readonly is: string; readonly ought: string } | undefined> {
  const file = path.join(folder, name);
  const is = readFileSync(file, "utf8");
  const [from, to] = [is.indexOf(begin), is.indexOf(end)];
  const load = builtinDrivers[path.basename(name, ".md") as keyof typeof builtinDrivers];
  if (from === -1 || to === -1 || load === undefined) return undefined;
  const { flags } = await load();
  return { file, is, ought: `${is.slice(0, from)}${begin}${tableOf(flags)}${is.slice(to)}` };
}

function tableOf(flags: readonly CreateFlag[]): string {
  const rows = flags.map((flag) => `| \`--${flag.name}\` | ${variables(flag)} | ${fallback(flag)} | ${flag.usage} |`);
  return ["| Flag | Variable | Default | |", "|---|---|---|---|", ...rows, ""].join("\n");
}

function variables({ envVar = "" }: CreateFlag): string {
  return envVar === ""
    ? ""
    : envVar
        .split(",")
        .map((name) => `\`${name}\``)
        .join(" ");
}

function fallback(flag: CreateFlag): string {
  const value = defaultValue(flag);
  if (value === "" || value === false || (Array.isArray(value) && value.length === 0)) return "";
  return `\`${Array.isArray(value) ? value.join(",") : String(value as string | number | boolean)}\``;
}

if (import.meta.main) for (const { file, ought } of await flagDocuments()) writeFileSync(file, ought);
