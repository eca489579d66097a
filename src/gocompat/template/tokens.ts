/**
 * The lexer of Go templates: text and actions into tokens, with trimming done here, so that the parser never sees it.
 * The last token is `eof`, or `error` where Go's lexer gives up.
 */
import { formatData } from "../format.ts";
import { quote } from "../quote.ts";

const keywords = ["block", "break", "continue", "define", "else", "end", "if", "nil", "range", "template", "with"] as const;

export type Keyword = (typeof keywords)[number];

export type TokenType =
  | Keyword
  | "text"
  | "leftDelim"
  | "rightDelim"
  | "space"
  | "pipe"
  | "leftParen"
  | "rightParen"
  | "declare"
  | "assign"
  | "char"
  | "identifier"
  | "field"
  | "variable"
  | "dot"
  | "bool"
  | "number"
  | "complex"
  | "charConstant"
  | "string"
  | "rawString"
  | "error"
  | "eof";

export interface Token {
  readonly type: TokenType;
  /** The source text; of an error its message. */
  readonly text: string;
  /** Where it begins, in UTF-16 units. */
  readonly at: number;
}

/** A token as Go's error texts quote it. */
export function describeToken({ type, text }: Token): string {
  if (type === "eof") return "EOF";
  if (type === "error") return text;
  if (type === "dot" || isKeyword(type)) return `<${text}>`;
  return Buffer.byteLength(text) > 10 ? `${quote(Array.from(text).slice(0, 10).join(""))}...` : quote(text);
}

function isKeyword(word: string): word is Keyword {
  return (keywords as readonly string[]).includes(word);
}

const word = String.raw`[\p{L}\p{Nd}_]`;
/** What may follow a name: space, the end, `. , | : ) (`, or the right delimiter. */
const terminator = String.raw`(?=[ \t\r\n.,|:)(]|\}\}|$(?![^]))`;

const patterns = {
  rightDelim: /\}\}|[ \t\r\n]-\}\}[ \t\r\n]*/y,
  // A space that belongs to ` -}}` is left for the delimiter.
  space: /[ \t\r\n]+?(?=[ \t\r\n]-\}\})|[ \t\r\n]+/y,
  comment: /\/\*[^]*?\*\//y,
  string: /"(?:\\[^\n]|[^"\\\n])*"/uy,
  rawString: /`[^`]*`/y,
  charConstant: /'(?:\\[^\n]|[^'\\\n])*'/uy,
  name: new RegExp(`${word}+`, "uy"),
  fieldOrVariable: new RegExp(`[.$]${word}*`, "uy"),
  terminator: new RegExp(terminator, "y"),
  number:
    /[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?/y,
} as const;

const unterminated = {
  '"': { type: "string", problem: "unterminated quoted string" },
  "`": { type: "rawString", problem: "unterminated raw quoted string" },
  "'": { type: "charConstant", problem: "unterminated character constant" },
} as const;

/** All tokens of a template's source. */
export function tokenize(source: string): Token[] {
  return new Lexer(source).run();
}

class Lexer {
  readonly #source: string;
  readonly #tokens: Token[] = [];
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
  }

  run(): Token[] {
    while (this.#last !== "eof" && this.#last !== "error") this.#text();
    return this.#tokens;
  }

  get #last(): TokenType | undefined {
    return this.#tokens.at(-1)?.type;
  }

  #emit(type: TokenType, length: number): void {
    this.#tokens.push({ type, text: this.#source.slice(this.#at, this.#at + length), at: this.#at });
    this.#at += length;
  }

  #fail(problem: string): void {
    this.#tokens.push({ type: "error", text: problem, at: this.#at });
  }

  #matchAt(pattern: RegExp, at: number): string | undefined {
    pattern.lastIndex = at;
    return pattern.exec(this.#source)?.[0];
  }

  #startsWith(text: string): boolean {
    return this.#source.startsWith(text, this.#at);
  }

  /** Text up to the next action, then that action. */
  #text(): void {
    const open = this.#source.indexOf("{{", this.#at);
    const text = this.#source.slice(this.#at, open < 0 ? undefined : open);
    const trims = open >= 0 && /^-[ \t\r\n]/.test(this.#source.slice(open + 2, open + 4));
    const kept = trims ? text.replace(/[ \t\r\n]+$/, "") : text;
    if (kept !== "") this.#emit("text", kept.length);
    if (open < 0) return this.#emit("eof", 0);
    this.#at = open;
    this.#action(trims ? "- ".length : 0);
  }

  #action(markerLength: number): void {
    const inside = this.#at + 2 + markerLength;
    if (this.#source.startsWith("/*", inside)) return this.#comment(inside);
    this.#emit("leftDelim", 2);
    this.#at = inside;
    this.#depth = 0;
    while (this.#last !== "rightDelim" && this.#last !== "error") this.#insideAction();
  }

  #comment(at: number): void {
    this.#at = at;
    const comment = this.#matchAt(patterns.comment, at);
    if (comment === undefined) return this.#fail("unclosed comment");
    const delimiter = this.#matchAt(patterns.rightDelim, at + comment.length);
    if (delimiter === undefined) return this.#fail("comment ends before closing delimiter");
    this.#at += comment.length + delimiter.length;
  }

  #insideAction(): void {
    const delimiter = this.#matchAt(patterns.rightDelim, this.#at);
    if (delimiter !== undefined) return this.#rightDelim(delimiter);
    if (this.#at >= this.#source.length) return this.#fail("unclosed action");
    const space = this.#matchAt(patterns.space, this.#at);
    if (space !== undefined) return this.#emit("space", space.length);
    const next = String.fromCodePoint(this.#source.codePointAt(this.#at) ?? 0);
    switch (next) {
      case "=":
        return this.#emit("assign", 1);
      case ":":
        return this.#startsWith(":=") ? this.#emit("declare", 2) : this.#fail("expected :=");
      case "|":
        return this.#emit("pipe", 1);
      case '"':
      case "`":
      case "'":
        return this.#literal(next);
      case "(":
        this.#depth += 1;
        return this.#emit("leftParen", 1);
      case ")":
        return this.#rightParen();
      case "$":
        return this.#fieldOrVariable();
      case ".":
        return /^[^0-9]/.test(this.#source.slice(this.#at + 1)) ? this.#fieldOrVariable() : this.#number();
    }
    if (/[+\-0-9]/.test(next)) return this.#number();
    if (this.#matchAt(patterns.name, this.#at) !== undefined) return this.#name();
    return /[!-~]/.test(next) ? this.#emit("char", 1) : this.#fail(`unrecognized character in action: ${unicode(next)}`);
  }

  /** The white space that a trim marker takes with it is part of the match, not of the token. */
  #rightDelim(match: string): void {
    if (this.#depth > 0) return this.#fail("unclosed left paren");
    const end = this.#at + match.length;
    this.#at += match.startsWith("}") ? 0 : " -".length;
    this.#emit("rightDelim", 2);
    this.#at = end;
  }

  #rightParen(): void {
    this.#emit("rightParen", 1);
    this.#depth -= 1;
    if (this.#depth < 0) this.#fail(`unexpected right paren ${unicode(")")}`);
  }

  #literal(delimiter: '"' | "`" | "'"): void {
    const { type, problem } = unterminated[delimiter];
    const literal = this.#matchAt(patterns[type], this.#at);
    if (literal === undefined) this.#fail(problem);
    else this.#emit(type, literal.length);
  }

  #fieldOrVariable(): void {
    const match = this.#matchAt(patterns.fieldOrVariable, this.#at) ?? "";
    if (this.#isBadAfter(match)) return;
    this.#emit(match.startsWith("$") ? "variable" : match === "." ? "dot" : "field", match.length);
  }

  #name(): void {
    const name = this.#matchAt(patterns.name, this.#at) ?? "";
    if (this.#isBadAfter(name)) return;
    this.#emit(isKeyword(name) ? name : name === "true" || name === "false" ? "bool" : "identifier", name.length);
  }

  /** Fails when what follows a name cannot end it. */
  #isBadAfter(name: string): boolean {
    const end = this.#at + name.length;
    if (this.#matchAt(patterns.terminator, end) !== undefined) return false;
    this.#fail(`bad character ${unicode(String.fromCodePoint(this.#source.codePointAt(end) ?? 0))}`);
    return true;
  }

  /** Like Go's, this takes what only looks like a number; the parser finds out. `1+2i` is one token. */
  #number(): void {
    const first = this.#matchAt(patterns.number, this.#at) ?? "";
    if (this.#isBadNumber(first)) return;
    if (!/[+-]/.test(this.#source.charAt(this.#at + first.length))) return this.#emit("number", first.length);
    const both = first + (this.#matchAt(patterns.number, this.#at + first.length) ?? "");
    if (this.#isBadNumber(both)) return;
    if (both.endsWith("i")) this.#emit("complex", both.length);
    else this.#fail(`bad number syntax: ${quote(both)}`);
  }

  #isBadNumber(text: string): boolean {
    const [stray] = this.#matchAt(patterns.name, this.#at + text.length) ?? [];
    if (stray === undefined) return false;
    this.#fail(`bad number syntax: ${quote(text + stray)}`);
    return true;
  }
}

function unicode(character: string): string {
  return formatData("%#U", BigInt(character.codePointAt(0) ?? 0));
}
