/**
 * A terminal for sudo, where `Defaults requiretty` insists on one (the RedHat family until its version 7): it is looked
 * for, and never read or written. The streams of the command stay what they are, so that scripts travel as they always
 * do: through a terminal, long lines are cut and everything is echoed.
 */
import { quoteWord } from "../../ssh/shell-quote.ts";

/**
 * A script for `sh -c`; its first argument is a command line. util-linux's `script` gives the terminal. Its own input is
 * a pipe that never ends: at the end of its input it would end the command.
 */
export const inTerminal = `exec 3<&0 4>&1 5>&2
p=$(mktemp -u "\${TMPDIR:-/tmp}/docker-machine-XXXXXXXX") && mkfifo -m 600 "$p" || exit 1
exec 6<>"$p"; rm -f "$p"
SHELL=/bin/sh; export SHELL
exec script -qec "{ $1
} <&3 >&4 2>&5 3<&- 4>&- 5>&- 6>&-" /dev/null <&6 > /dev/null 2>&1`;

/** The command line with a terminal. */
export function withTerminal(command: string): string {
  return `sh -c ${quoteWord(inTerminal)} sh ${quoteWord(command)}`;
}

/**
 * In the place of `sh -c`, below sudo: its terminal is no business of what runs there. A program that asks at /dev/tty
 * finds none, and ends, where it would wait for an answer that nobody can give. The shell that waits is no leader of a
 * session's group, so that setsid needs no further process.
 */
export const awayFromTerminal = `if command -v setsid > /dev/null; then setsid sh -c "$@"; else sh -c "$@"; fi; exit $?`;
