/** What a script's bad end means, as an error with a way out. Pure. */
import { errorCodes, type ErrorCode } from "../../errors/codes.ts";
import { MachineError } from "../../errors/machine-error.ts";
import type { Privilege } from "../facts/facts.ts";
import type { ScriptAnswer } from "../facts/script-answer.ts";
import { removalHint } from "../install/package-forecast.ts";
import { disksFrom } from "../facts/parse-facts.ts";

const relevantLines = 12;

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code);
}

/** The last lines that say something: those that look like errors where there are some, else the last ones at all. */
function explanationIn(output: readonly string[]): string {
  const lines = output.map((line) => line.trim()).filter((line) => line !== "");
  const errors = lines.filter((line) =>
    /^(E:|W: Failed|Err:|Error|error:|ERROR|Problem|problem|Failed|dpkg:|\s*nothing provides|.*unmet dependencies|.*Depends:)/u.test(
      line,
    ),
  );
  const telling = errors.length > 0 ? errors : lines;
  // A tool that was tried twice says most of it twice: the last time counts.
  return telling
    .filter((line, index) => telling.lastIndexOf(line) === index)
    .slice(-relevantLines)
    .join("\n");
}

const diskFull =
  /No space left on device|not enough free space|don't have enough free space|Disk quota exceeded|needs \d+\s?[KMG]B? (more )?(space )?on the/iu;

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
    const reason = code === "package-manager" || code === "download-failed" ? explanation : answer.why.join("\n");
    return new MachineError(code, appended(answer.fail.message, reason), { hint: answer.hint ?? hintFor(code, explanation) });
  }
  return new MachineError("remote-command", appended(`A script on ${label} ended with status ${answer.status}`, explanation), {
    hint: "Run the command again with --debug to see every line of it.",
  });
}

function appended(message: string, explanation: string): string {
  return explanation === "" ? message : `${message}:\n${explanation}`;
}

function diskFullError(answer: ScriptAnswer, label: string): MachineError {
  const fullest = disksFrom(answer.facts).toSorted((a, b) => a.freeMiB - b.freeMiB)[0];
  const where =
    fullest === undefined ? "a disk" : `${fullest.device} (mounted on ${fullest.mountPoint}, ${fullest.freeMiB} MiB free)`;
  return new MachineError("disk-full", `There is no space left on ${where} of ${label}`, {
    hint: `Free some space there, then run "docker-machine provision ${label}": it continues.`,
  });
}

/** What a package manager's own words mean for the person who has to act. */
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
    /unmet dependencies|held broken packages|conflicting requests|nothing provides|conflicts with/iu,
    'Resolve the conflict on the machine, or choose another source with --engine-source, then run "docker-machine provision".',
  ],
  [
    /resolv|Could not connect|Failed to fetch|Cannot download|Couldn't connect|Network is unreachable|timed out|temporary error/iu,
    'Check the machine\'s network, DNS and proxy (--engine-env HTTP_PROXY=… applies to downloads too), then run "docker-machine provision".',
  ],
  [
    /Unable to locate package|No match for argument|no such package|target not found|not found in package names/u,
    "Choose another source with --engine-source docker, script or static.",
  ],
];

function hintFor(code: ErrorCode, explanation: string): string | undefined {
  if (code === "package-removal") return removalHint;
  if (code !== "package-manager" && code !== "download-failed") return undefined;
  return (
    packageHints.find(([pattern]) => pattern.test(explanation))?.[1] ??
    'Put it right on the machine, then run "docker-machine provision": it continues.'
  );
}

/** Root's rights were not given. */
export function sudoRefusal(answer: ScriptAnswer, label: string, privilege: Privilege): MachineError {
  const explanation = explanationIn(answer.output);
  if (privilege.kind === "sudo-password") {
    return new MachineError("sudo-required", `sudo on ${label} did not accept the password, or the user may not use sudo`, {
      hint: "Check the password, and that the user is in the group that may use sudo (sudo, wheel or admin).",
      cause: new Error(explanation),
    });
  }
  return new MachineError("sudo-required", appended(`Root's rights cannot be had on ${label}`, explanation), {
    hint: "Log in as root, or allow the user to use sudo.",
  });
}
