/** What a script's bad end means, as an error with a way out. Pure. */
import { errorCodes, type ErrorCode } from "../../errors/codes.ts";
import { MachineError } from "../../errors/machine-error.ts";
import type { Privilege } from "../facts/facts.ts";
import type { ScriptAnswer } from "../facts/script-answer.ts";
import { explanationIn, type Explanation } from "../install/manager-words.ts";
import { removalHint } from "../install/package-forecast.ts";
import { disksFrom } from "../facts/parse-facts.ts";

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code);
}

const diskFull =
  /No space left on device|not enough free (disk )?space|don't have enough free space|Disk quota exceeded|needs \d+\s?[KMG]B? (more )?(space )?on the|At least \d+\s?[KMG]?B more space needed on the/iu;

const readOnly = /(\/\S*?)['"’]?: Read-only file system/u;

/** The first thing that could not be written says which file system it is. */
function readOnlyError(output: readonly string[], label: string): MachineError | undefined {
  const file = output.map((line) => readOnly.exec(line)?.[1]).find((found) => found !== undefined);
  if (file === undefined) return undefined;
  return new MachineError("remote-command", `${file} on ${label} cannot be written: its file system is read-only`, {
    hint: `Look on the machine why it is (findmnt -T ${file}; dmesg), make it writable, then run "docker-machine provision ${label}".`,
  });
}

export function failureOf(answer: ScriptAnswer, label: string): MachineError {
  if (diskFull.test(answer.output.join("\n"))) return diskFullError(answer, label);
  const blocked = answer.fail === undefined ? readOnlyError(answer.output, label) : undefined;
  if (blocked !== undefined) return blocked;
  const code = answer.fail?.code ?? "";
  const explanation = explanationIn(answer.output);
  if (answer.fail !== undefined && isErrorCode(code)) {
    const spoken = code === "package-manager" || code === "download-failed";
    const reason = spoken ? explanation : { text: answer.why.join("\n"), isSentence: false };
    return new MachineError(code, appended(answer.fail.message, reason), {
      hint: answer.hint ?? hintFor(code, answer.output.join("\n")),
      untouched: answer.facts.is("untouched"),
    });
  }
  return new MachineError("remote-command", appended(`A script on ${label} ended with status ${answer.status}`, explanation), {
    hint: "Run the command again with --debug to see every line of it.",
  });
}

function appended(message: string, { text, isSentence }: Explanation): string {
  return text === "" ? message : `${message}:${isSentence ? " " : "\n"}${text}`;
}

/** A package manager names the folder that it would have written to, which may be a file system that nobody asked about. */
const namedFolder = /on the (\/\S*) filesystem|Partition (\/\S*) too full/u;

function diskFullError(answer: ScriptAnswer, label: string): MachineError {
  const named = namedFolder.exec(answer.output.join("\n"));
  const folder = named?.[1] ?? named?.[2];
  const disks = disksFrom(answer.facts).toSorted((a, b) => a.freeMiB - b.freeMiB);
  const disk = folder === undefined ? disks[0] : disks.find(({ mountPoint }) => mountPoint === folder);
  const where =
    disk === undefined ? (folder ?? "a disk") : `${disk.device} (mounted on ${disk.mountPoint}, ${disk.freeMiB} MiB free)`;
  return new MachineError("disk-full", `There is no space left on ${where} of ${label}`, {
    hint: `Free some space there, then run "docker-machine provision ${label}": it continues.`,
  });
}

/** What a package manager's own words mean for the person who has to act; the first that fits. */
const packageHints: readonly (readonly [RegExp, string])[] = [
  [
    /dpkg was interrupted|dpkg --configure -a/u,
    'Run "sudo dpkg --configure -a" on the machine, then "docker-machine provision".',
  ],
  [
    /Could not get lock|is locked by|lock.*held|Unable to lock|unable to lock/u,
    'Wait until the other package manager has ended, then run "docker-machine provision".',
  ],
  [
    /filtered out by exclude/u,
    'The machine\'s owner keeps the package manager from these packages: take them out of excludepkgs in /etc/dnf/dnf.conf and /etc/yum.repos.d, or release them (dnf versionlock list), then run "docker-machine provision".',
  ],
  [
    /filtered out by modular filtering/u,
    'A module on the machine stands before these packages: "sudo dnf module disable container-tools" there makes room, then run "docker-machine provision".',
  ],
  [/remove lock to allow/u, 'Release it on the machine (zypper locks, zypper removelock), then run "docker-machine provision".'],
  [
    /GPG check FAILED|GPG (signature|verification)|[Ss]ignature verification failed|signing key|PGP|key .*(is unknown|expired)|unknown trust|NO_PUBKEY|EXPKEYSIG|is not signed/u,
    'Look after the keys of the machine\'s package repositories: whoever runs the repository says which key signs it. Import that one there, then run "docker-machine provision".',
  ],
  [
    /unmet dependencies|held broken packages|conflicting requests|nothing provides|conflicts with|in conflict|but none of the providers can be installed|breaks dependency|requirement cannot be provided|unable to satisfy dependency/iu,
    'Resolve the conflict on the machine, or choose another source with --engine-source, then run "docker-machine provision".',
  ],
  [
    /wrong checksum|checksum doesn't match|incorrect checksum|Hash Sum mismatch|invalid or corrupted (package|database)/iu,
    'The mirror gives other files than it announces: try again when it is whole, or name another to the machine\'s package manager, then run "docker-machine provision".',
  ],
  [
    /resolv|Could not connect|Failed to fetch|Cannot download|Couldn't connect|Network is unreachable|timed out|temporary error|failed retrieving|Can't provide|not found on medium|\b404\b/iu,
    'Check the machine\'s network, DNS, mirrors and proxy (--engine-env HTTP_PROXY=… applies to downloads too), then run "docker-machine provision".',
  ],
  [
    /Unable to locate package|No match for argument|Unable to find a match|no such package|target not found|not found in package names|No provider of/u,
    "Choose another source with --engine-source docker, script or static.",
  ],
];

function hintFor(code: ErrorCode, words: string): string | undefined {
  if (code === "package-removal") return removalHint;
  if (code !== "package-manager" && code !== "download-failed") return undefined;
  return (
    packageHints.find(([pattern]) => pattern.test(words))?.[1] ??
    'Put it right on the machine, then run "docker-machine provision": it continues.'
  );
}

/** Root's rights were not given. */
export function sudoRefusal(answer: ScriptAnswer, label: string, privilege: Privilege): MachineError {
  const explanation = explanationIn(answer.output);
  if (privilege.kind === "sudo-password") {
    return new MachineError("sudo-required", `sudo on ${label} did not accept the password, or the user may not use sudo`, {
      hint: "Check the password, and that the user is in the group that may use sudo (sudo, wheel or admin).",
      cause: new Error(explanation.text),
    });
  }
  return new MachineError("sudo-required", appended(`Root's rights cannot be had on ${label}`, explanation), {
    hint: "Log in as root, or allow the user to use sudo.",
  });
}
