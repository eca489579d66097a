/** The words behind `docker-machine ssh NAME`, read as ssh reads what stands behind its host: flags, then a command. */
import type { SshSessionOptions } from "./executor.ts";

/** Flags of ssh(1) that take a value, attached or as the next word. */
const flagWithValue = /[BbcDEeFIiJLlmOoPpQRSWw]/u;

/**
 * Splits the words. `-t`, `-T` and `-q` are understood by both back ends and taken out of the flags; every other flag
 * is OpenSSH's business. The command is the remaining words joined by blanks, as ssh does it.
 */
export function parseSshWords(words: readonly string[]): Pick<SshSessionOptions, "command" | "terminal" | "sshFlags"> {
  const flags: string[] = [];
  let wishes = "";
  let next = 0;
  while (words[next]?.startsWith("-") === true && words[next] !== "-") {
    const word = words[next] ?? "";
    next += 1;
    if (word === "--") break;
    const { plain, valued, complete } = splitFlags(word);
    wishes += plain.replaceAll(/[^tT]/gu, "");
    flags.push(
      ...plain
        .replaceAll(/[tTq]/gu, "")
        .split("")
        .map((flag) => `-${flag}`),
    );
    if (valued === "") continue;
    flags.push(valued);
    const value = words[next];
    if (!complete && value !== undefined) {
      flags.push(value);
      next += 1;
    }
  }
  const command = words.slice(next).join(" ");
  return { command: words.length === next ? undefined : command, terminal: terminalOf(wishes), sshFlags: flags };
}

interface FlagWord {
  /** Letters of flags without a value. */
  readonly plain: string;
  /** The flag with a value that ends the word, if any: `-L` or `-L8080:localhost:80`. */
  readonly valued: string;
  /** The value is part of the word. */
  readonly complete: boolean;
}

function splitFlags(word: string): FlagWord {
  const letters = word.slice(1);
  const at = letters.search(flagWithValue);
  if (at < 0) return { plain: letters, valued: "", complete: true };
  return { plain: letters.slice(0, at), valued: `-${letters.slice(at)}`, complete: at < letters.length - 1 };
}

/** The last of `-t` and `-T` counts; `-t` twice insists where there is no terminal here. */
function terminalOf(wishes: string): SshSessionOptions["terminal"] {
  if (wishes.endsWith("T")) return "no";
  if (/tt$/u.test(wishes)) return "force";
  return wishes === "" ? "auto" : "yes";
}
