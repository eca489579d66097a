/**
 * The parser of Go templates. Error texts, and the line they name, are those of text/template: the line is the one of
 * the furthest token looked at, which is why look-ahead here goes exactly as far as it does there.
 */
import { quote } from "../quote.ts";
import { ExpressionParser } from "./expression-parser.ts";
import { isBlank, type ActionNode, type BranchNode, type StatementNode, type TemplateNode } from "./nodes.ts";
import { TokenInput } from "./token-input.ts";
import type { TokenType } from "./tokens.ts";

/** The statements of every template that a source defines, by name. */
export type Definitions = ReadonlyMap<string, readonly StatementNode[]>;

const actionKeywords = ["if", "range", "with", "else", "end", "block", "template", "break", "continue"] as const;

type ActionKeyword = (typeof actionKeywords)[number];

/** Ends a list of statements. */
interface Terminator {
  readonly type: "end" | "else";
  /** `{{else if}}`: the `if` is still to be read. */
  readonly isElseIf: boolean;
}

/**
 * Parses a source. Throws {@link TemplateError}.
 * @param isFunction whether a function of that name may be called
 */
export function parse(name: string, source: string, isFunction: (name: string) => boolean): Definitions {
  const input = new TokenInput(name, source);
  const definitions = new Map<string, readonly StatementNode[]>();
  const main = new Parser(input, definitions, isFunction);
  main.define(name, main.parseMain());
  return definitions;
}

/** One definition: the main template, a `define` or a `block`. */
class Parser extends ExpressionParser {
  readonly #definitions: Map<string, readonly StatementNode[]>;
  #rangeDepth = 0;

  constructor(input: TokenInput, definitions: Map<string, readonly StatementNode[]>, isFunction: (name: string) => boolean) {
    super(input, isFunction);
    this.#definitions = definitions;
  }

  define(name: string, statements: readonly StatementNode[]): void {
    const earlier = this.#definitions.get(name);
    if (earlier === undefined || isBlank(earlier)) this.#definitions.set(name, statements);
    else if (!isBlank(statements)) this.input.fail(`template: multiple definition of template ${quote(name)}`);
  }

  /** The whole source, where alone `define` may stand. */
  parseMain(): StatementNode[] {
    const statements: StatementNode[] = [];
    while (this.input.peek().type !== "eof") {
      if (this.#skipDefinition()) continue;
      const statement = this.#statement();
      if (isTerminator(statement)) this.input.fail(`unexpected {{${statement.type}}}`);
      statements.push(statement);
    }
    return statements;
  }

  #skipDefinition(): boolean {
    const mark = this.input.mark();
    if (this.input.next().type === "leftDelim" && this.input.nextNonSpace().type === "define") {
      this.#nested().#definition();
      return true;
    }
    this.input.rewind(mark);
    return false;
  }

  #nested(): Parser {
    return new Parser(this.input, this.#definitions, this.isFunction);
  }

  #definition(): void {
    const context = "define clause";
    const name = this.unquoted(this.expect(["string", "rawString"], context));
    this.expect(["rightDelim"], context);
    const { statements, terminator } = this.#statements();
    if (terminator.type === "else") this.input.fail(`unexpected {{else}} in ${context}`);
    this.define(name, statements);
  }

  #statements(): { statements: StatementNode[]; terminator: Terminator } {
    const statements: StatementNode[] = [];
    this.input.enter();
    while (this.input.peekNonSpace().type !== "eof") {
      const statement = this.#statement();
      if (isTerminator(statement)) {
        this.input.leave();
        return { statements, terminator: statement };
      }
      statements.push(statement);
    }
    return this.input.fail("unexpected EOF");
  }

  #statement(): StatementNode | Terminator {
    const token = this.input.nextNonSpace();
    if (token.type === "text") return { type: "text", at: token.at, text: token.text };
    if (token.type !== "leftDelim") return this.unexpected(token, "input");
    this.actionAt = token.at;
    const action = this.#action();
    this.actionAt = undefined;
    return action;
  }

  #action(): StatementNode | Terminator {
    const { type, at } = this.input.peekNonSpace();
    if (!isActionKeyword(type)) return this.#command(at);
    this.input.next();
    switch (type) {
      case "if":
      case "range":
      case "with":
        return this.#branch(type);
      case "else":
        return this.#else();
      case "end":
        this.expect(["rightDelim"], "end");
        return { type: "end", isElseIf: false };
      case "block":
        return this.#block();
      case "template":
        return this.#template();
      case "break":
      case "continue":
        return this.#leaveRange(type, at);
    }
  }

  /** Variables that an action declares live on until the enclosing `end`. */
  #command(at: number): ActionNode {
    return { type: "action", at, pipe: this.pipeline("command", "rightDelim") };
  }

  #leaveRange(type: "break" | "continue", at: number): StatementNode {
    const token = this.input.nextNonSpace();
    if (token.type !== "rightDelim") this.unexpected(token, `{{${type}}}`);
    if (this.#rangeDepth === 0) this.input.fail(`{{${type}}} outside {{range}}`);
    return { type, at };
  }

  #branch(type: "if" | "range" | "with"): BranchNode {
    const outer = this.variables.length;
    const pipe = this.pipeline(type, "rightDelim");
    if (type === "range") this.#rangeDepth += 1;
    const { statements: body, terminator } = this.#statements();
    if (type === "range") this.#rangeDepth -= 1;
    const otherwise = terminator.type === "else" ? this.#otherwise(type, terminator) : undefined;
    this.variables.length = outer;
    return { type, at: pipe.at, pipe, body, otherwise };
  }

  #otherwise(type: BranchNode["type"], { isElseIf }: Terminator): StatementNode[] {
    if (type === "if" && isElseIf) {
      this.input.enter();
      this.input.next();
      const nested = this.#branch("if");
      this.input.leave();
      return [nested];
    }
    const { statements, terminator } = this.#statements();
    if (terminator.type === "else") this.input.fail("expected end; found {{else}}");
    return statements;
  }

  #else(): Terminator {
    const isElseIf = this.input.peekNonSpace().type === "if";
    if (!isElseIf) this.expect(["rightDelim"], "else");
    return { type: "else", isElseIf };
  }

  /** A definition and its use in one. */
  #block(): TemplateNode {
    const context = "block clause";
    const { name, at } = this.#templateName(context);
    const pipe = this.pipeline(context, "rightDelim");
    const reached = this.input.furthestAt;
    const { statements, terminator } = this.#nested().#statements();
    if (terminator.type === "else") this.input.fail(`unexpected {{else}} in ${context}`, reached);
    this.define(name, statements);
    return { type: "template", at, name, pipe };
  }

  #template(): TemplateNode {
    const context = "template clause";
    const { name, at } = this.#templateName(context);
    const mark = this.input.mark();
    if (this.input.nextNonSpace().type === "rightDelim") return { type: "template", at, name, pipe: undefined };
    this.input.rewind(mark);
    return { type: "template", at, name, pipe: this.pipeline(context, "rightDelim") };
  }

  #templateName(context: string): { name: string; at: number } {
    const token = this.expect(["string", "rawString"], context);
    return { name: this.unquoted(token), at: token.at };
  }
}

function isTerminator(statement: StatementNode | Terminator): statement is Terminator {
  return statement.type === "end" || statement.type === "else";
}

function isActionKeyword(type: TokenType): type is ActionKeyword {
  return (actionKeywords as readonly TokenType[]).includes(type);
}
