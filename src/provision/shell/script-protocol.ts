/**
 * How scripts reach a host and what they answer. A script travels on standard input and is evaluated from memory: no
 * argument list, environment or file ever holds it, so it may carry secrets. It answers with lines `@kind<TAB>…`
 * between the lines of the programs it runs.
 */
import { sh, type ShellText } from "./shell-text.ts";

/**
 * Drops what stands before the marker (an unread password, a banner), then runs the rest if it came whole: one whose sender
 * was killed half way would write half a file. The script is in `$s`.
 */
export const bootstrap = `s=$(sed "1,/^#begin/d"); case $s in *"#end") eval "$s" ;; esac`;

/**
 * Standard input for {@link bootstrap}. The first line is for sudo; where sudo does not ask, it is dropped unread.
 * The second one keeps the marker off line 1, where sed would not see it.
 */
export function framedScript(script: ShellText, password = ""): string {
  return `${password}\n\n#begin\n${script.text}\n#end\n`;
}

/** Opens every script: one language, a full PATH, the answers. Each begins a line of its own, whatever came before it. */
export const scriptPrelude = sh`
LC_ALL=C; export LC_ALL; unset LANGUAGE
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/bin:/snap/bin; export PATH
has() { command -v "$1" > /dev/null 2>&1; }
end() { printf '\n@end\t\t\n'; }
printf '\n@begin\t\t\n'
`;

/** Shell functions with which scripts answer; after the prelude. */
export const answering = sh`
phase() { printf '\n@phase\t%s\t\n' "$1"; }
waiting() { printf '\n@wait\t\t%s\n' "$1"; }
note() { printf '\n@note\t%s\t%s\n' "$1" "$2"; }
changed() { printf '\n@changed\t%s\t\n' "$1"; }
hint() { printf '\n@hint\t\t%s\n' "$1"; }
why() { while IFS= read -r line; do printf '\n@why\t\t%s\n' "$line"; done; }
fail() { printf '\n@fail\t%s\t%s\n' "$1" "$2"; exit 1; }
nap() { sleep 0.2 2> /dev/null || sleep 1; }
# A script that ends badly undoes what it can and says how full the disks are: that is the first thing to know.
on_failure() { :; }
at_the_end() {
  status=$?
  trap - EXIT
  [ "$status" = 0 ] || on_failure
  [ "$status" = 0 ] || for folder in / /var /etc /etc/docker /tmp /usr /var/lib/docker; do
    [ -d "$folder" ] && printf '\n@fact\tdisk\t%s %s\n' "$folder" "$(df -Pk "$folder" 2> /dev/null | tail -n 1)"
  done
  exit "$status"
}
trap at_the_end EXIT
`;

const answerKinds = ["begin", "end", "fact", "phase", "wait", "note", "changed", "fail", "hint", "why"] as const;
type AnswerKind = (typeof answerKinds)[number];

export type ScriptLine =
  | { readonly kind: AnswerKind; readonly key: string; readonly value: string }
  /** A line of a program that the script ran. */
  | { readonly kind: "output"; readonly text: string };

export function parseScriptLine(line: string): ScriptLine {
  const match = /^@([a-z]+)\t([^\t]*)\t(.*)$/su.exec(line);
  const kind = answerKinds.find((known) => known === match?.[1]);
  if (match === null || kind === undefined) return { kind: "output", text: line };
  return { kind, key: match[2] ?? "", value: match[3] ?? "" };
}
