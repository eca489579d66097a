/**
 * The parser of Go templates. Error texts, and the line they name, are those of text/template: the line is the one of
 * the furthest token looked at, which is why look-ahead here goes exactly as far as it does there.
 */
import { quote, unquote } from "../quote.ts";
import { isBlank, sourceOf, type ActionNode, type ArgumentNode, type BranchNode, type CommandNode, type PipeNode, type StatementNode, type TemplateNode, type VariableNode } from "./nodes.ts";
import { readNumber } from "./number.ts";
import { lineAt, TemplateError } from "./template-error.ts";
import { describeToken, tokenize, type Token, type TokenType } from "./tokens.ts";

/** The statements of every template that a source defines, by name. */
export type Definitions = ReadonlyMap<string, readonly StatementNode[]>;

/** Ends a list of statements. */
interface Terminator {
  readonly type: "end" | "else";
  /** `{{else if}}`: the `if` is still to be read. */
  readonly isElseIf: boolean;
}

const operandTypes: ReadonlySet<TokenType> = new Set<TokenType>([
  "bool", "charConstant", "complex", "dot", "field", "identifier", "number", "nil", "rawString", "string", "variable", "leftParen",
]);
const literalTypes: ReadonlySet<string> = new Set(["bool", "string", "number", "nil", "dot"]);

/** Nested deeper than this, a template is not something a person wrote. */
const deepest = 500;

/**
 * Parses a source. Throws {@link TemplateError}.
 * @param isFunction whether a function of that name may be called
 */
export function parse(name: string, source: string, isFunction: (name: string) => boolean): Definitions {
  const input = new Input(name, source);
  const definitions = new Map<string, readonly StatementNode[]>();
  const main = new Parser(input, definitions, isFunction);
  main.define(name, main.parseMain());
  return definitions;
}

/** The tokens, read in order by the parsers of all definitions in turn. */
class Input {
  readonly name: string;
  readonly #source: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #furthest = 0;
  depth = 0;

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

  line(at: number): number {
    return lineAt(this.#source, at);
  }
}

/** One definition: the main template, a `define` or a `block`. */
class Parser {
  readonly #input: Input;
  readonly #definitions: Map<string, readonly StatementNode[]>;
  readonly #isFunction: (name: string) => boolean;
  #variables = ["$"];
  #rangeDepth = 0;
  /** Where the action that is being read began. */
  #actionAt: number | undefined;

  constructor(input: Input, definitions: Map<string, readonly StatementNode[]>, isFunction: (name: string) => boolean) {
    this.#input = input;
    this.#definitions = definitions;
    this.#isFunction = isFunction;
  }

  define(name: string, statements: readonly StatementNode[]): void {
    const earlier = this.#definitions.get(name);
    if (earlier === undefined || isBlank(earlier)) this.#definitions.set(name, statements);
    else if (!isBlank(statements)) this.#input.fail(`template: multiple definition of template ${quote(name)}`);
  }

  /** The whole source, where alone `define` may stand. */
  parseMain(): StatementNode[] {
    const statements: StatementNode[] = [];
    while (this.#input.peek().type !== "eof") {
      if (this.#skipDefinition()) continue;
      const statement = this.#statement();
      if (isTerminator(statement)) this.#input.fail(`unexpected {{${statement.type}}}`);
      statements.push(statement);
    }
    return statements;
  }

  #skipDefinition(): boolean {
    const mark = this.#input.mark();
    if (this.#input.next().type === "leftDelim" && this.#input.nextNonSpace().type === "define") {
      this.#nested().#definition();
      return true;
    }
    this.#input.rewind(mark);
    return false;
  }

  #nested(): Parser {
    return new Parser(this.#input, this.#definitions, this.#isFunction);
  }

  #definition(): void {
    const context = "define clause";
    const name = this.#unquoted(this.#expect(["string", "rawString"], context));
    this.#expect(["rightDelim"], context);
    const { statements, terminator } = this.#statements();
    if (terminator.type === "else") this.#input.fail(`unexpected {{else}} in ${context}`);
    this.define(name, statements);
  }

  #statements(): { statements: StatementNode[]; terminator: Terminator } {
    const statements: StatementNode[] = [];
    this.#enter();
    while (this.#input.peekNonSpace().type !== "eof") {
      const statement = this.#statement();
      if (isTerminator(statement)) {
        this.#input.depth -= 1;
        return { statements, terminator: statement };
      }
      statements.push(statement);
    }
    return this.#input.fail("unexpected EOF");
  }

  #unexpected(token: Token, context: string): never {
    if (token.type !== "error") this.#input.fail(`unexpected ${describeToken(token)} in ${context}`);
    this.#input.fail(token.text + this.#startedElsewhere(token));
  }

  /** For an action that runs over several lines: where it began. */
  #startedElsewhere(token: Token): string {
    if (this.#actionAt === undefined) return "";
    const line = this.#input.line(this.#actionAt);
    if (line === this.#input.line(token.at)) return "";
    return `${token.text.endsWith(" action") ? "" : " in action"} started at ${this.#input.name}:${line}`;
  }

  #expect(types: readonly TokenType[], context: string): Token {
    const token = this.#input.nextNonSpace();
    return types.includes(token.type) ? token : this.#unexpected(token, context);
  }

  #enter(): void {
    this.#input.depth += 1;
    if (this.#input.depth > deepest) this.#input.fail("nested too deeply");
  }

  #statement(): StatementNode | Terminator {
    const token = this.#input.nextNonSpace();
    if (token.type === "text") return { type: "text", at: token.at, text: token.text };
    if (token.type !== "leftDelim") return this.#unexpected(token, "input");
    this.#actionAt = token.at;
    const action = this.#action();
    this.#actionAt = undefined;
    return action;
  }

  #action(): StatementNode | Terminator {
    const token = this.#input.peekNonSpace();
    switch (token.type) {
      case "if":
      case "range":
      case "with":
        this.#input.next();
        return this.#branch(token.type);
      case "else":
        this.#input.next();
        return this.#else();
      case "end":
        this.#input.next();
        this.#expect(["rightDelim"], "end");
        return { type: "end", isElseIf: false };
      case "block":
        this.#input.next();
        return this.#block();
      case "template":
        this.#input.next();
        return this.#template();
      case "break":
      case "continue":
        this.#input.next();
        return this.#leaveRange(token.type, token.at);
      default:
        return this.#command(token.at);
    }
  }

  /** Variables that an action declares live on until the enclosing `end`. */
  #command(at: number): ActionNode {
    return { type: "action", at, pipe: this.#pipeline("command", "rightDelim") };
  }

  #leaveRange(type: "break" | "continue", at: number): StatementNode {
    const token = this.#input.nextNonSpace();
    if (token.type !== "rightDelim") this.#unexpected(token, `{{${type}}}`);
    if (this.#rangeDepth === 0) this.#input.fail(`{{${type}}} outside {{range}}`);
    return { type, at };
  }

  #branch(type: "if" | "range" | "with"): BranchNode {
    const outer = this.#variables.length;
    const pipe = this.#pipeline(type, "rightDelim");
    if (type === "range") this.#rangeDepth += 1;
    const { statements: body, terminator } = this.#statements();
    if (type === "range") this.#rangeDepth -= 1;
    const otherwise = terminator.type === "else" ? this.#otherwise(type, terminator) : undefined;
    this.#variables.length = outer;
    return { type, at: pipe.at, pipe, body, otherwise };
  }

  #otherwise(type: BranchNode["type"], { isElseIf }: Terminator): StatementNode[] {
    if (type === "if" && isElseIf) {
      this.#enter();
      this.#input.next();
      const nested = this.#branch("if");
      this.#input.depth -= 1;
      return [nested];
    }
    const { statements, terminator } = this.#statements();
    if (terminator.type === "else") this.#input.fail("expected end; found {{else}}");
    return statements;
  }

  #else(): Terminator {
    const isElseIf = this.#input.peekNonSpace().type === "if";
    if (!isElseIf) this.#expect(["rightDelim"], "else");
    return { type: "else", isElseIf };
  }

  /** A definition and its use in one. */
  #block(): TemplateNode {
    const context = "block clause";
    const { name, at } = this.#templateName(context);
    const pipe = this.#pipeline(context, "rightDelim");
    const reached = this.#input.furthestAt;
    const { statements, terminator } = this.#nested().#statements();
    if (terminator.type === "else") this.#input.fail(`unexpected {{else}} in ${context}`, reached);
    this.define(name, statements);
    return { type: "template", at, name, pipe };
  }

  #template(): TemplateNode {
    const context = "template clause";
    const { name, at } = this.#templateName(context);
    const mark = this.#input.mark();
    if (this.#input.nextNonSpace().type === "rightDelim") return { type: "template", at, name, pipe: undefined };
    this.#input.rewind(mark);
    return { type: "template", at, name, pipe: this.#pipeline(context, "rightDelim") };
  }

  #templateName(context: string): { name: string; at: number } {
    const token = this.#expect(["string", "rawString"], context);
    return { name: this.#unquoted(token), at: token.at };
  }

  #unquoted({ text }: Token): string {
    return unquote(text) ?? this.#input.fail("invalid syntax");
  }

  #pipeline(context: string, end: TokenType): PipeNode {
    this.#enter();
    const { at } = this.#input.peekNonSpace();
    const { declares, assigns } = this.#declarations(context);
    const commands: CommandNode[] = [];
    for (let token = this.#input.peekNonSpace(); token.type !== end; token = this.#input.peekNonSpace()) {
      if (!operandTypes.has(token.type)) this.#unexpected(token, context);
      commands.push(this.#commandNode());
    }
    this.#input.next();
    this.#checkCommands(commands, context);
    this.#input.depth -= 1;
    return { type: "pipe", at, declares, assigns, commands };
  }

  #checkCommands(commands: readonly CommandNode[], context: string): void {
    if (commands.length === 0) this.#input.fail(`missing value for ${context}`);
    const stage = commands.findIndex(({ args: [first] }, index) => index > 0 && literalTypes.has(first.type));
    if (stage > 0) this.#input.fail(`non executable command in pipeline stage ${stage + 1}`);
  }

  /** `$x :=`, `$x =`, and for a range also `$i, $x :=`. */
  #declarations(context: string): { declares: VariableNode[]; assigns: boolean } {
    const declares: VariableNode[] = [];
    for (;;) {
      const mark = this.#input.mark();
      const variable = this.#input.peekNonSpace();
      if (variable.type !== "variable") return { declares, assigns: false };
      this.#input.next();
      const next = this.#input.peekNonSpace();
      const isComma = next.type === "char" && next.text === ",";
      if (!isComma && next.type !== "assign" && next.type !== "declare") {
        this.#input.rewind(mark);
        return { declares, assigns: false };
      }
      this.#input.next();
      declares.push({ type: "variable", at: variable.at, path: variable.text.split(".") });
      this.#variables.push(variable.text);
      if (!isComma) return { declares, assigns: next.type === "assign" };
      this.#checkSecondVariable(context, declares.length);
    }
  }

  #checkSecondVariable(context: string, count: number): void {
    if (context !== "range" || count > 1) this.#input.fail(`too many declarations in ${context}`);
    const { type } = this.#input.peekNonSpace();
    if (type !== "variable" && type !== "rightDelim" && type !== "rightParen") {
      this.#input.fail("range can only initialize variables");
    }
  }

  /** Operands apart by spaces, up to and including a pipe sign, or up to the end of the pipeline. */
  #commandNode(): CommandNode {
    const { at } = this.#input.peekNonSpace();
    const args: ArgumentNode[] = [];
    for (;;) {
      this.#input.peekNonSpace();
      const operand = this.#operand();
      if (operand !== undefined) args.push(operand);
      const token = this.#input.peek();
      if (token.type === "rightDelim" || token.type === "rightParen") break;
      this.#input.next();
      if (token.type === "pipe") break;
      if (token.type !== "space") this.#unexpected(token, "operand");
    }
    const [first, ...rest] = args;
    return first === undefined ? this.#input.fail("empty command") : { type: "command", at, args: [first, ...rest] };
  }

  /** A term and the fields after it; undefined when what follows is no operand. */
  #operand(): ArgumentNode | undefined {
    const term = this.#term();
    const { type, at } = this.#input.peek();
    if (term === undefined || type !== "field") return term;
    const path: string[] = [];
    while (this.#input.peek().type === "field") path.push(this.#input.next().text.slice(1));
    if (term.type === "field" || term.type === "variable") return { type: term.type, at, path: [...term.path, ...path] };
    if (literalTypes.has(term.type)) this.#input.fail(`unexpected . after term ${quote(sourceOf(term))}`);
    return { type: "chain", at, of: term, path };
  }

  #term(): ArgumentNode | undefined {
    const mark = this.#input.mark();
    const token = this.#input.nextNonSpace();
    const { type, text, at } = token;
    switch (type) {
      case "identifier":
        return this.#isFunction(text) ? { type, at, name: text } : this.#input.fail(`function ${quote(text)} not defined`);
      case "dot":
      case "nil":
        return { type, at };
      case "variable":
        return this.#variables.includes(text) ? { type, at, path: [text] } : this.#input.fail(`undefined variable ${quote(text)}`);
      case "field":
        return { type, at, path: [text.slice(1)] };
      case "bool":
        return { type, at, value: text === "true" };
      case "charConstant":
      case "complex":
      case "number": {
        const number = readNumber(token);
        return typeof number === "string" ? this.#input.fail(number) : number;
      }
      case "leftParen":
        return this.#pipeline("parenthesized pipeline", "rightParen");
      case "string":
      case "rawString":
        return { type: "string", at, literal: text, value: this.#unquoted(token) };
      default:
        this.#input.rewind(mark);
        return undefined;
    }
  }
}

function isTerminator(statement: StatementNode | Terminator): statement is Terminator {
  return statement.type === "end" || statement.type === "else";
}
