/** What our help shows beyond 0.16.2's: dropped before texts are compared. A line that is not listed here must be equal. */
import { fleetCommands } from "../../src/cli/fleet-commands.ts";
import { ownCommands } from "../../src/cli/own-commands.ts";

import { alignRows } from "../../src/cli/help/align.ts";

const ownFlags = [
  "--dry-run",
  "--engine-allow-removal",
  "--engine-firewall",
  "--engine-package-key",
  "--engine-package-mirror",
  "--engine-share-ca",
  "--engine-source",
  "--engine-transport",
  "--engine-version",
  "--ssh-host-key",
  "--tls-key-type",
  "--ttl",
  "--ttl-power-off",
  "--idle",
  "--show-secrets",
  "--restore",
  "--output",
  "--parallel",
  "--generic-ssh-config-host",
  "--generic-sudo-password-file",
  "--legacy",
  "--profile",
  "--watch",
];
/** Flags of the program itself that are ours; commands have a `--timeout` of 0.16.2. */
const ownGlobalFlags = ["--output", "--timeout"];
const ownCommandNames = [...ownCommands, ...fleetCommands].map(({ name }) => name);

/** Usage texts that say what is true of this program. */
const rewordings: readonly (readonly [RegExp, string])[] = [
  [/Use the built-in SSH implementation instead of the ssh program\./u, "Use the native (Go-based) SSH implementation."],
  [/Accepted for compatibility; nothing is ever sent/u, "BugSnag API token for crash reporting"],
  // No command of 0.16.2 has subcommands.
  [/\nCommands:\n(?: {3}\S.*\n)+/u, ""],
  [/^Version: .*$/mu, "Version: dev, build HEAD"],
];

/** The help text with our lines dropped and our words replaced. */
export function withoutAdditions(help: string): string {
  const lines = rewordings.reduce((text, [ours, theirs]) => text.replace(ours, theirs), withoutWideFlags(help)).split("\n");
  return lines.filter((line) => !isOurs(line)).join("\n");
}

/** Flags of ours on commands of 0.16.2 that had none, or narrower ones: the columns are as if they had never been. */
const wideFlags =
  /^ {3}(?:--filter \[.*In place of names|--all\t.*In place of names|-y\t.*that were selected|--tls-san .*from now on|--wait\t|--suspend\t|--to[ \t]+Roll this version out|.*With --to:)/u;

function withoutWideFlags(help: string): string {
  const found = /(?<head>\nOptions:\n {3}\n)(?<rows>(?: {3}\S.*\n)+)/u.exec(help);
  const rows = found?.groups?.["rows"]?.trimEnd().split("\n") ?? [];
  const left = rows.filter((row) => !wideFlags.test(row));
  if (found === null || left.length === rows.length) return help;
  if (left.length === 0)
    return (
      help
        .replace(`\n${found[0]}`, "\n")
        .replace(/^(Usage: .*) \[OPTIONS\]/mu, "$1")
        .trimEnd() + "\n"
    );
  const aligned = alignRows(left.map((row) => row.split(/\t+/u) as unknown as [string, string]));
  return help.replace(found[0], () => `${found.groups?.["head"]}${aligned.join("\n")}\n`);
}

function isOurs(line: string): boolean {
  const [, indent, word] = /^( +)([^\s,]+)/u.exec(line) ?? [];
  if (word === undefined) return false;
  // Two spaces: the program's own help. Three: a command's.
  return indent === "  " ? [...ownGlobalFlags, ...ownCommandNames].includes(word) : ownFlags.includes(word);
}
