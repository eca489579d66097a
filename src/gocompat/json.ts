/**
 * JSON without loss: a tree that keeps the order of keys, doubled keys, and every number and string as it was spelled,
 * and a writer whose output is byte for byte what Go's `json.MarshalIndent` gives for it. Pure; knows nothing of
 * machines. `JSON.parse` would lose 64-bit numbers and move integer-like keys to the front.
 */

export interface JsonNull {
  readonly kind: "null";
}
export interface JsonBoolean {
  readonly kind: "boolean";
  readonly value: boolean;
}
export interface JsonNumber {
  readonly kind: "number";
  /** As it stands in the text: `1`, `1.0`, `18446744073709551615`. */
  readonly text: string;
}
export interface JsonString {
  readonly kind: "string";
  /** As it stands in the text, with its quotes and escapes. */
  readonly text: string;
}
export interface JsonArray {
  readonly kind: "array";
  readonly items: readonly JsonNode[];
}
export interface JsonMember {
  /** The key as it stands in the text, with its quotes and escapes. */
  readonly keyText: string;
  /** The key's value. */
  readonly key: string;
  readonly value: JsonNode;
}
export interface JsonObject {
  readonly kind: "object";
  readonly members: readonly JsonMember[];
}
export type JsonNode = JsonNull | JsonBoolean | JsonNumber | JsonString | JsonArray | JsonObject;

/** A text that is not JSON. `truncated` when it ends too early, in which case the message is Go's. */
export class JsonSyntaxError extends SyntaxError {
  override readonly name = "JsonSyntaxError";
  readonly line: number;
  readonly column: number;
  readonly truncated: boolean;

  constructor(text: string, offset: number, message: string) {
    const truncated = offset >= text.length;
    super(truncated ? "unexpected end of JSON input" : message);
    const before = text.slice(0, offset).split("\n");
    this.line = before.length;
    this.column = (before.at(-1)?.length ?? 0) + 1;
    this.truncated = truncated;
  }
}

/** Far deeper than any record; bounds the stack that a hostile text can use. */
const maxDepth = 1_000;

/** Parses one JSON value with nothing but white space around it. Throws {@link JsonSyntaxError}. */
export function parseJson(text: string): JsonNode {
  const parser = new Parser(text);
  const node = parser.value(0);
  parser.end();
  return node;
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): JsonNode {
    if (depth > maxDepth) throw this.#unexpected("exceeded max depth");
    this.#skipSpace();
    switch (this.#text.charAt(this.#at)) {
      case "{":
        return { kind: "object", members: this.#list("}", () => this.#member(depth)) };
      case "[":
        return { kind: "array", items: this.#list("]", () => this.value(depth + 1)) };
      case '"':
        return { kind: "string", text: this.#string() };
      case "t":
        return this.#word("true", { kind: "boolean", value: true });
      case "f":
        return this.#word("false", { kind: "boolean", value: false });
      case "n":
        return this.#word("null", { kind: "null" });
      default:
        return { kind: "number", text: this.#number() };
    }
  }

  end(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#unexpected("after top-level value");
  }

  #member(depth: number): JsonMember {
    this.#skipSpace();
    if (this.#text[this.#at] !== '"') throw this.#unexpected("looking for beginning of object key string");
    const keyText = this.#string();
    this.#skipSpace();
    this.#expect(":", "after object key");
    return { keyText, key: unquote(keyText), value: this.value(depth + 1) };
  }

  #list<T>(close: string, next: () => T): T[] {
    const found: T[] = [];
    this.#at += 1;
    this.#skipSpace();
    if (this.#take(close)) return found;
    for (;;) {
      found.push(next());
      this.#skipSpace();
      if (this.#take(close)) return found;
      this.#expect(",", close === "}" ? "after object key:value pair" : "after array element");
    }
  }

  #word<T extends JsonNode>(word: string, node: T): T {
    for (const letter of word) this.#expect(letter, `in literal ${word}`);
    return node;
  }

  #string(): string {
    const start = this.#at;
    // Nearly all are plain and end at the next quote, which is found quicker than letter by letter.
    const end = this.#text.indexOf('"', start + 1);
    const plain = this.#text.slice(start, end + 1);
    this.#at += 1;
    if (end !== -1 && !notPlain.test(plain)) {
      this.#at = end + 1;
      return plain;
    }
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === quoteCode) break;
      if (code === backslashCode) this.#at += this.#escapeLength();
      else if (code >= 0x20) this.#at += 1;
      else throw this.#unexpected("in string literal");
    }
    this.#at += 1;
    return this.#text.slice(start, this.#at);
  }

  #escapeLength(): number {
    const length = this.#matchHere(/\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y).length;
    if (length > 0) return length;
    if (this.#at + this.#matchHere(/\\(?:u[0-9a-fA-F]{0,3})?/y).length === this.#text.length) this.#at = this.#text.length;
    throw this.#unexpected("in string literal");
  }

  #number(): string {
    const found = this.#matchHere(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y);
    const run = this.#matchHere(/[-+.\deE]*/y);
    // `1.` or `1e-` at the very end is the beginning of a number.
    const isCutOff = this.#at + run.length === this.#text.length && /[-+.eE]$/u.test(run);
    this.#at += isCutOff ? run.length : found.length;
    if (isCutOff || found === "") throw this.#unexpected("looking for beginning of value");
    return found;
  }

  #matchHere(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)?.[0] ?? "";
  }

  #skipSpace(): void {
    if (isSpace(this.#text.charCodeAt(this.#at))) this.#at += this.#matchHere(/[ \n\r\t]+/y).length;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #expect(character: string, place: string): void {
    if (!this.#take(character)) throw this.#unexpected(place);
  }

  #unexpected(place: string): JsonSyntaxError {
    return new JsonSyntaxError(this.#text, this.#at, `invalid character ${JSON.stringify(this.#text[this.#at])} ${place}`);
  }
}

/** JSON's four: space, line feed, carriage return, tab. */
function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** What ends a string early, or begins an escape. */
const notPlain = /[^ -\u{10ffff}]|\\/u;

const quoteCode = 0x22;
const backslashCode = 0x5c;

/** How deep a value of an indented text lies: its own line prefix and one step of indentation. */
interface Layout {
  readonly line: string;
  readonly step: string;
}

/** Writes a tree as Go's `json.MarshalIndent(v, "", indent)` does; with no indent as `json.Marshal` does. */
export function formatJson(node: JsonNode, indent = "    "): string {
  return format(node, indent === "" ? undefined : { line: "\n", step: indent });
}

/** The same JSON with other white space and Go's escapes; keys, numbers and strings keep their spelling. */
export function reindentJson(text: string, indent = "    "): string {
  return formatJson(parseJson(text), indent);
}

function format(node: JsonNode, layout: Layout | undefined): string {
  switch (node.kind) {
    case "null":
      return "null";
    case "boolean":
      return String(node.value);
    case "number":
      return node.text;
    case "string":
      return escapeForHtml(node.text);
    case "array":
      return enclose("[", node.items, "]", layout, format);
    case "object":
      return enclose("{", node.members, "}", layout, formatMember);
  }
}

function formatMember(member: JsonMember, layout: Layout | undefined): string {
  return escapeForHtml(member.keyText) + (layout === undefined ? ":" : ": ") + format(member.value, layout);
}

function enclose<T>(
  open: string,
  parts: readonly T[],
  close: string,
  layout: Layout | undefined,
  formatPart: (part: T, inner: Layout | undefined) => string,
): string {
  if (parts.length === 0) return open + close;
  const inner = layout && { ...layout, line: layout.line + layout.step };
  const texts = parts.map((part) => formatPart(part, inner));
  return open + (inner?.line ?? "") + texts.join("," + (inner?.line ?? "")) + (layout?.line ?? "") + close;
}

/** What Go escapes inside strings so that JSON may stand in a web page. */
function escapeForHtml(text: string): string {
  return text.replace(/[<>&\u2028\u2029]/gu, unicodeEscape);
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

const shortEscapes: Readonly<Record<string, string>> = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** A string as Go 1.12 (which built 0.16.2) encodes it: `\u0008` and not `\b`; half a surrogate pair becomes U+FFFD. */
export function quoteJsonString(value: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is to be escaped
  const escaped = value.toWellFormed().replace(/[\u0000-\u001f"\\]/gu, (found) => shortEscapes[found] ?? unicodeEscape(found));
  return `"${escapeForHtml(escaped)}"`;
}

/** The text of a string node, unescaped. */
export function stringOf(node: JsonString): string {
  return unquote(node.text);
}

function unquote(text: string): string {
  return text.includes("\\") ? (JSON.parse(text) as string) : text.slice(1, -1);
}

/** A tree from plain data. Members that are undefined are left out. Throws TypeError for what JSON cannot hold. */
export function jsonFrom(value: unknown): JsonNode {
  if (value === null) return { kind: "null" };
  if (typeof value === "boolean") return { kind: "boolean", value };
  if (typeof value === "bigint" || (typeof value === "number" && Number.isFinite(value))) {
    return { kind: "number", text: String(value) };
  }
  if (typeof value === "string") return { kind: "string", text: quoteJsonString(value) };
  if (Array.isArray(value)) return { kind: "array", items: value.map(jsonFrom) };
  if (typeof value === "object") {
    const present = Object.entries(value).filter((entry) => entry[1] !== undefined);
    return { kind: "object", members: present.map(([key, item]) => memberOf(key, jsonFrom(item))) };
  }
  throw new TypeError(`JSON cannot hold a ${typeof value}`);
}

/** Plain data from a tree: what `JSON.parse` gives, with its loss of 64-bit numbers. */
export function plainFrom(node: JsonNode): unknown {
  return node.kind === "string" ? stringOf(node) : JSON.parse(formatJson(node, ""));
}

/** A member of an object, by its plain key. */
export function memberOf(key: string, value: JsonNode): JsonMember {
  return { key, keyText: quoteJsonString(key), value };
}

/**
 * The member that Go would decode into a struct's field of that name: keys are compared without case, and of several
 * the last one counts.
 */
export function findMember(node: JsonNode | undefined, key: string): JsonNode | undefined {
  if (node?.kind !== "object") return undefined;
  return node.members.findLast((member) => sameField(member.key, key))?.value;
}

/** Whether Go takes `key` for the struct field `field`. */
export function sameField(key: string, field: string): boolean {
  return key === field || (key.length === field.length && key.toLowerCase() === field.toLowerCase());
}
