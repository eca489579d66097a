/**
 * What package managers say when they fail, as the person needs it who has to act: the lines that tell, and of a
 * conflict one sentence with everything that it is between. Shown with what the real ones print in manager-words.test.ts.
 * Pure.
 */

export interface Explanation {
  /** "" where nothing was said. */
  readonly text: string;
  /** It is one sentence, which can follow a colon. */
  readonly isSentence: boolean;
}

const relevantLines = 12;

/** Beginnings of lines that tell, by the manager that prints them. */
const telling: readonly RegExp[] = [
  // apt and dpkg
  /^(E:|W: Failed|Err:|dpkg:)|unmet dependencies|(Depends|Conflicts|Breaks|PreDepends): /u,
  // dnf and yum
  /^(Error: \S|Errors during|Problem|nothing provides|All matches were filtered out|No match for argument)/u,
  /^(Public key for|GPG Keys are configured as|GPG key at|Import of key|The GPG keys listed|Status code|- Status code|- Curl error|- Downloading successful, but)/u,
  /: Cannot download, |: \[Errno \d|\[Errno \d+\]|^At least \d+[KMG]?B more space|: (Package|Header) .* (signature|digest)|needs \d+[KMG]?B/u,
  // zypper
  /^(Problem:|not installable providers|nothing provides|Signature verification failed|- Signature verification|- .* has wrong checksum|No provider of)/u,
  /^File '.*' not found|^(Download|Timeout|Failed to) .*|is invalid\.$|^- Download \(curl\) error for|^Error message: |^(- )?Can't provide|^Package '?.*'? not found|not found in package names/u,
  // pacman
  /^(error:|warning: .*(corrupted|skipping target|unknown trust))|^:: .* (are in conflict|and .* conflict|breaks dependency|requires) ?|\.pkg\.tar\.\S+ is missing/u,
  // apk and programs at large
  /^(ERROR|Failed|failed)/u,
];

/** Of the last attempt alone: a tool that was tried twice says most of it twice. apk tells what it lacks below its error. */
export function explanationIn(output: readonly string[]): Explanation {
  const lines = output
    .flatMap(afterQuestion)
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const conflict = conflictIn(lines);
  if (conflict !== undefined) return { text: conflict, isSentence: true };
  const selection = lines.findLastIndex((line) => line === "ERROR: unable to select packages:");
  if (selection >= 0) return { text: lines.slice(selection, selection + relevantLines).join("\n"), isSentence: false };
  const found = lines.filter((line) => telling.some((pattern) => pattern.test(line)) && !isNoise(line));
  const chosen = found.length > 0 ? found : lines;
  const text = chosen
    .filter((line, index) => chosen.lastIndexOf(line) === index)
    .slice(-relevantLines)
    .join("\n");
  return { text, isSentence: false };
}

/** pacman, which asks nobody, goes on in the line of its question. */
function afterQuestion(line: string): readonly string[] {
  return line.split(/(?<=\[(?:y\/N|Y\/n)\]) (?=error: )/u);
}

/** Questions that nobody answers, and what follows from an error that was told already. */
function isNoise(line: string): boolean {
  return /^(Problem occurred|Error:$|Failed to commit|error: failed to commit transaction \(unexpected error\)$)/u.test(line);
}

/** dnf's and zypper's `Problem:` with the lines below it, of the last attempt; pacman's own way. */
function conflictIn(lines: readonly string[]): string | undefined {
  const start = lines.findLastIndex((line) => /^Problem(?: 1)?: /u.test(line));
  const clauses = start < 0 ? pacmanClauses(lines) : problemClauses(lines.slice(start));
  return clauses.length === 0 ? undefined : [...new Set(clauses)].join("; ");
}

function problemClauses(lines: readonly string[]): readonly string[] {
  const clauses: string[] = [];
  let installed: string | undefined;
  for (const line of lines) {
    if (isEndOfProblem(line)) break;
    const head = /^Problem(?: \d+)?: (.*)$/u.exec(line)?.[1];
    if (head !== undefined) installed = /^problem with installed package (\S+)$/u.exec(head)?.[1];
    clauses.push(...clauseOf(head ?? line, installed));
  }
  return clauses;
}

/** `:: ` begins questions as well. */
function pacmanClauses(lines: readonly string[]): readonly string[] {
  const start = lines.findLastIndex((line) => line.startsWith("error: failed to prepare transaction ("));
  if (start < 0) return [];
  return lines.slice(start).flatMap((line) => /^:: (.*[^?\]])$/u.exec(line)?.[1] ?? []);
}

function isEndOfProblem(line: string): boolean {
  return /^(\(try to add|Solution \d+:|You can try|Choose from|Choose the)/u.test(line);
}

/** What says nothing by itself is left out. */
function clauseOf(line: string, installed: string | undefined): readonly string[] {
  const words = line.replace(/^- /u, "");
  if (
    /^(problem with installed package \S+|cannot install the best .*|conflicting requests|package .* is already installed)$/u.test(
      words,
    )
  )
    return [];
  const bare = words.replace(/^package (?=\S+-\S+ )/u, "").replace(/\.$/u, "");
  return [installed !== undefined && bare.startsWith(`${installed} `) ? `the installed ${bare}` : bare];
}
