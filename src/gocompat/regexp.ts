/**
 * Go's regular expressions (RE2 syntax) as JavaScript ones, for searching: the whole of Go's syntax is read, what it
 * lacks (look-around, back references) is refused with Go's error text, and the rest is written so that JavaScript
 * means the same by it.
 */
import { MachineError } from "../errors/machine-error.ts";
import { caseVariants, codePointSource, perlClass, posixClass, rangeClass, unicodeClass } from "./regexp-classes.ts";

/** Go's words for what is wrong. */
type Fault =
  | "invalid character class range"
  | "invalid escape sequence"
  | "invalid named capture"
  | "invalid or unsupported Perl syntax"
  | "invalid nested repetition operator"
  | "invalid repeat count"
  | "missing closing ]"
  | "missing closing )"
  | "missing argument to repetition operator"
  | "trailing backslash at end of expression"
  | "unexpected )"
  | "expression nests too deeply";

interface Flags {
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
  /** `U`: repetitions take as little as they can, and as much with `?`. */
  readonly ungreedy: boolean;
}

const flagLetters: Readonly<Record<string, keyof Flags>> = { i: "ignoreCase", m: "multiline", s: "dotAll", U: "ungreedy" };

/** A part that a repetition operator applies to. */
interface Atom {
  readonly source: string;
  /** How often its innermost part repeats by counts, multiplied over the nesting. */
  readonly count: number;
}

/** Escapes of control characters. */
const controlCharacters: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

/** An open group: its alternatives so far, the last still growing. */
interface Group {
  readonly flags: Flags;
  readonly alternatives: [Atom[], ...Atom[][]];
}

const largestCount = 1000;
const deepest = 1000;
const largestCodePoint = 0x10ffff;

/**
 * The JavaScript equivalent of Go's `regexp.Compile(pattern)`.
 * Throws `usage` with Go's text, for example ``error parsing regexp: missing closing ]: `[a` ``.
 */
export function compileRegexp(pattern: string): RegExp {
  return new RegExp(new Translator(pattern).run(), "v");
}

class Translator {
  readonly #pattern: string;
  readonly #groups: Group[] = [];
  #flags: Flags = { ignoreCase: false, multiline: false, dotAll: false, ungreedy: false };
  #at = 0;
  /** Where the repetition just before begins. */
  #lastRepeat: number | undefined;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  run(): string {
    this.#open();
    while (this.#at < this.#pattern.length) {
      const before = this.#at;
      const isRepetition = this.#repetition() || this.#countedRepetition();
      if (!isRepetition) this.#part();
      this.#lastRepeat = isRepetition ? before : undefined;
    }
    const [whole, ...open] = this.#groups;
    if (whole === undefined || open.length > 0) return this.#fail("missing closing )", this.#pattern);
    return sourceOf(whole);
  }

  #fail(fault: Fault, about: string): never {
    throw new MachineError("usage", `error parsing regexp: ${fault}: \`${about}\``);
  }

  #failFrom(fault: Fault, start: number): never {
    return this.#fail(fault, this.#pattern.slice(start, this.#at));
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#pattern) ?? undefined;
    this.#at += match?.[0].length ?? 0;
    return match;
  }

  #open(): void {
    if (this.#groups.length > deepest) this.#fail("expression nests too deeply", this.#pattern);
    this.#groups.push({ flags: this.#flags, alternatives: [[]] });
  }

  get #branch(): Atom[] {
    return this.#groups.at(-1)?.alternatives.at(-1) ?? [];
  }

  #push(source: string): void {
    this.#branch.push({ source, count: 1 });
  }

  /** Anything that is not a repetition. */
  #part(): void {
    const [next = ""] = this.#take(/\(\?|\\Q|\\[^]?|[^]/uy) ?? [];
    switch (next) {
      case "(":
        return this.#open();
      case "(?":
        return this.#perlGroup();
      case ")":
        return this.#close();
      case "|":
        this.#groups.at(-1)?.alternatives.push([]);
        return;
      case "^":
        return this.#push(this.#flags.multiline ? "(?<![^\\n])" : "^");
      case "$":
        return this.#push(this.#flags.multiline ? "(?![^\\n])" : "$");
      case ".":
        return this.#push(this.#flags.dotAll ? "[^]" : "[^\\n]");
      case "[":
        return this.#class(this.#at - 1);
      case "\\A":
        return this.#push("^");
      case "\\z":
        return this.#push("$");
      case "\\b":
      case "\\B":
        return this.#push(next);
      case "\\Q":
        return this.#quoted();
      default:
        return next.startsWith("\\") ? this.#escaped(this.#at - next.length) : this.#literal(next.codePointAt(0) ?? 0);
    }
  }

  #literal(codePoint: number): void {
    const variants = this.#flags.ignoreCase ? caseVariants(codePoint) : [codePoint];
    const source = variants.map(codePointSource).join("");
    this.#push(variants.length === 1 ? source : `[${source}]`);
  }

  /** `\Q…\E`: the text between is itself. */
  #quoted(): void {
    const [text = ""] = this.#take(/[^]*?(?=\\E)|[^]*/uy) ?? [];
    this.#take(/\\E/y);
    for (const rune of text) this.#literal(rune.codePointAt(0) ?? 0);
  }

  #escaped(start: number): void {
    this.#at = start;
    const members = this.#classEscape();
    if (members === undefined) this.#literal(this.#escape());
    else this.#push(`[${members}]`);
  }

  /** `\d`, `\p{Greek}` and their like, as members of a class; undefined when no such escape is next. */
  #classEscape(): string | undefined {
    const start = this.#at;
    const perl = this.#take(/\\([dswDSW])/y)?.[1];
    if (perl !== undefined) return perlClass(perl, this.#flags.ignoreCase);
    if (this.#take(/\\[pP](?=\{[^}]*$)/y) !== undefined)
      return this.#fail("invalid character class range", this.#pattern.slice(start));
    const unicode = this.#take(/\\([pP])(?:\{(\^?)([^}]*)\}|([^{]|$))/uy);
    if (unicode === undefined) return undefined;
    const [whole, letter, caret, name, single] = unicode;
    const members = unicodeClass(name ?? single ?? "", (letter === "P") !== (caret === "^"), this.#flags.ignoreCase);
    return members ?? this.#fail("invalid character class range", whole);
  }

  /** The code point of an escape that stands for one character. */
  #escape(): number {
    const start = this.#at;
    this.#at += 1;
    if (this.#at === this.#pattern.length) return this.#fail("trailing backslash at end of expression", "");
    const octal = this.#take(/0[0-7]{0,2}|[1-7][0-7]{1,2}/y);
    if (octal !== undefined) return Number.parseInt(octal[0], 8);
    const code = this.#hexEscape() ?? controlCharacters[this.#take(/[afnrtv]/y)?.[0] ?? ""];
    if (code !== undefined) return code;
    const [itself = ""] = this.#take(/x[^]?[^]?|[^]/uy) ?? [];
    return /^[\0-/:-@[-`{-\x7f]$/.test(itself) ? itself.charCodeAt(0) : this.#failFrom("invalid escape sequence", start);
  }

  /** `x7F` or `x{10FFFF}` after a backslash. */
  #hexEscape(): number | undefined {
    const pair = this.#take(/x([0-9a-fA-F]{2})/y);
    if (pair !== undefined) return Number.parseInt(pair[1] ?? "", 16);
    const start = this.#at - 1;
    if (this.#take(/x\{/y) === undefined) return undefined;
    let code: number | undefined;
    for (;;) {
      const [digit = ""] = this.#take(/[^]/uy) ?? [];
      if (digit === "}" && code !== undefined) return code;
      code = (code ?? 0) * 16 + Number.parseInt(digit, 16);
      if (!(code <= largestCodePoint)) return this.#failFrom("invalid escape sequence", start);
    }
  }

  #close(): void {
    const group = this.#groups.pop();
    if (group === undefined || this.#groups.length === 0) return this.#fail("unexpected )", this.#pattern);
    this.#flags = group.flags;
    const counts = group.alternatives.flat().map(({ count }) => count);
    this.#branch.push({ source: `(?:${sourceOf(group)})`, count: Math.max(1, ...counts) });
  }

  /** After `(?`: a named group, a group with other flags, or flags for the rest of this group. */
  #perlGroup(): void {
    const start = this.#at - 2;
    if (this.#take(/P<(?=[^])/y) !== undefined) return this.#namedGroup(start);
    let flags = this.#flags;
    let isOn = true;
    let sawFlag = false;
    for (;;) {
      const [letter = ""] = this.#take(/[^]/uy) ?? [];
      const flag = flagLetters[letter];
      if (flag !== undefined) {
        flags = { ...flags, [flag]: isOn };
        sawFlag = true;
      } else if (letter === "-" && isOn) {
        isOn = false;
        sawFlag = false;
      } else if ((letter === ":" || letter === ")") && (isOn || sawFlag)) {
        if (letter === ":") this.#open();
        this.#flags = flags;
        return;
      } else return this.#failFrom("invalid or unsupported Perl syntax", start);
    }
  }

  #namedGroup(start: number): void {
    const name = this.#take(/([^>]*)>/y)?.[1];
    if (name === undefined) return this.#fail("invalid named capture", this.#pattern.slice(start));
    if (!/^[0-9A-Za-z_]+$/.test(name)) return this.#failFrom("invalid named capture", start);
    this.#open();
  }

  #repetition(): boolean {
    const start = this.#at;
    const operator = this.#take(/[*+?]/y);
    if (operator !== undefined) this.#repeat(operator[0], 1, start);
    return operator !== undefined;
  }

  /** `{2}`, `{2,}`, `{2,3}`; braces in any other form are themselves. */
  #countedRepetition(): boolean {
    const start = this.#at;
    const match = this.#take(/\{(0|[1-9][0-9]*)(?:(,)(0|[1-9][0-9]*)?)?\}/y);
    if (match === undefined) return false;
    const [operator, least, comma, most = comma === undefined ? least : undefined] = match;
    const [min, max] = [Number(least), most === undefined ? Number(least) : Number(most)];
    if (min > largestCount || max > largestCount || min > max) this.#fail("invalid repeat count", operator);
    this.#repeat(operator, max, start);
    return true;
  }

  #repeat(operator: string, count: number, start: number): void {
    const isLazy = (this.#take(/\?/y) !== undefined) !== this.#flags.ungreedy;
    if (this.#lastRepeat !== undefined) this.#failFrom("invalid nested repetition operator", this.#lastRepeat);
    const atom = this.#branch.pop();
    if (atom === undefined) return this.#failFrom("missing argument to repetition operator", start);
    const total = Math.max(count, 1) * (count === 0 ? 1 : atom.count);
    if (count > 1 && total > largestCount) this.#failFrom("invalid repeat count", start);
    this.#branch.push({ source: `(?:${atom.source})${operator}${isLazy ? "?" : ""}`, count: total });
  }

  /** @param start where the opening bracket is */
  #class(start: number): void {
    const isNegated = this.#take(/\^/y) !== undefined;
    const members: string[] = [];
    while (members.length === 0 || this.#take(/\]/y) === undefined) members.push(this.#classMember(start));
    this.#push(`[${isNegated ? "^" : ""}${members.join("")}]`);
  }

  #classMember(start: number): string {
    const named = this.#take(/\[:(\^?)([^]*?):\]/uy);
    if (named === undefined) return this.#classEscape() ?? this.#classRange(start);
    const [whole, caret, name = ""] = named;
    return posixClass(name, caret === "^", this.#flags.ignoreCase) ?? this.#fail("invalid character class range", whole);
  }

  #classRange(start: number): string {
    const from = this.#at;
    const low = this.#classCharacter(start);
    const high = this.#take(/-(?=[^\]])/y) === undefined ? low : this.#classCharacter(start);
    if (high < low) return this.#failFrom("invalid character class range", from);
    return rangeClass(low, high, this.#flags.ignoreCase);
  }

  #classCharacter(start: number): number {
    if (this.#pattern[this.#at] === "\\") return this.#escape();
    const character = this.#take(/[^]/uy);
    return character?.[0].codePointAt(0) ?? this.#fail("missing closing ]", this.#pattern.slice(start));
  }
}

function sourceOf({ alternatives }: Group): string {
  return alternatives.map((atoms) => atoms.map(({ source }) => source).join("")).join("|");
}
