/** The tokens of a source, read in order by the parsers of all its definitions in turn, and the errors at them. */
import { lineAt, TemplateError } from "./template-error.ts";
import { tokenize, type Token } from "./tokens.ts";

/** Nested deeper than this, a template is not something a person wrote. */
const deepest = 500;

export class TokenInput {
  readonly name: string;
  readonly #source: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #furthest = 0;
  #depth = 0;

  constructor(name: string, source: string) {
    this.name = name;
    this.#source = source;
    this.#tokens = tokenize(source);
  }

  next(): Token {
    const token = this.peek();
    this.#next += 1;
    return token;
  }

  peek(): Token {
    const last = this.#tokens.length - 1;
    const index = Math.min(this.#next, last);
    this.#furthest = Math.max(this.#furthest, index);
    return this.#tokens[index] as Token;
  }

  /** Where reading stands, to come back to it with {@link rewind}. */
  mark(): number {
    return this.#next;
  }

  rewind(mark: number): void {
    this.#next = mark;
  }

  nextNonSpace(): Token {
    for (;;) {
      const token = this.next();
      if (token.type !== "space") return token;
    }
  }

  peekNonSpace(): Token {
    const token = this.nextNonSpace();
    this.#next -= 1;
    return token;
  }

  /** The furthest place looked at so far. */
  get furthestAt(): number {
    return (this.#tokens[this.#furthest] as Token).at;
  }

  fail(problem: string, at = this.furthestAt): never {
    const line = this.line(at);
    throw new TemplateError(`template: ${this.name}:${line}: ${problem}`, { line });
  }

  /** Counts one level of nesting; {@link leave} takes it back. */
  enter(): void {
    this.#depth += 1;
    if (this.#depth > deepest) this.fail("nested too deeply");
  }

  leave(): void {
    this.#depth -= 1;
  }

  line(at: number): number {
    return lineAt(this.#source, at);
  }
}
