/** What our help shows beyond 0.16.2's: dropped before texts are compared. A line that is not listed here must be equal. */

const ownFlags = [
  "--dry-run",
  "--engine-allow-removal",
  "--engine-firewall",
  "--engine-package-key",
  "--engine-package-mirror",
  "--engine-share-ca",
  "--engine-source",
  "--engine-version",
  "--ssh-host-key",
  "--tls-key-type",
  "--show-secrets",
  "--restore",
  "--output",
  "--generic-ssh-config-host",
  "--generic-sudo-password-file",
  "--legacy",
];
/** Flags of the program itself that are ours; commands have a `--timeout` of 0.16.2. */
const ownGlobalFlags = ["--output", "--timeout"];
const ownCommands = ["gc", "edit", "ssh-host-key", "completion", "cache", "driver"];

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
  const lines = rewordings.reduce((text, [ours, theirs]) => text.replace(ours, theirs), withoutTlsSan(help)).split("\n");
  return lines.filter((line) => !isOurs(line)).join("\n");
}

/** `create` has the flag from 0.16.2; on `regenerate-certs` it is ours, and widens the column of the others. */
function withoutTlsSan(help: string): string {
  const line = /^ {3}--tls-san .*from now on\n/mu;
  if (!line.test(help)) return help;
  return help
    .replace(line, "")
    .replace(/(?<=--force, -f)\t+/u, "\t\t")
    .replace(/(?<=--client-certs)\t+/u, "\t");
}

function isOurs(line: string): boolean {
  const [, indent, word] = /^( +)([^\s,]+)/u.exec(line) ?? [];
  if (word === undefined) return false;
  // Two spaces: the program's own help. Three: a command's.
  return indent === "  " ? [...ownGlobalFlags, ...ownCommands].includes(word) : ownFlags.includes(word);
}
