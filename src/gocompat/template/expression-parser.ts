/** The expressions of one definition: pipelines of commands, their operands and the variables they declare. */
import { quote, unquote } from "../quote.ts";
import { sourceOf, type ArgumentNode, type CommandNode, type PipeNode, type VariableNode } from "./nodes.ts";
import { readNumber } from "./number.ts";
import type { TokenInput } from "./token-input.ts";
import { describeToken, type Token, type TokenType } from "./tokens.ts";

const operandTypes = [
  "identifier",
  "dot",
  "nil",
  "variable",
  "field",
  "bool",
  "charConstant",
  "complex",
  "number",
  "string",
  "rawString",
  "leftParen",
] as const;

type OperandType = (typeof operandTypes)[number];

const literalTypes: ReadonlySet<string> = new Set(["bool", "string", "number", "nil", "dot"]);

export class ExpressionParser {
  protected readonly input: TokenInput;
  protected readonly isFunction: (name: string) => boolean;
  /** Names with their dollar sign, innermost last. */
  protected readonly variables = ["$"];
  /** Where the action that is being read began. */
  protected actionAt: number | undefined;

  constructor(input: TokenInput, isFunction: (name: string) => boolean) {
    this.input = input;
    this.isFunction = isFunction;
  }

  protected unexpected(token: Token, context: string): never {
    if (token.type !== "error") this.input.fail(`unexpected ${describeToken(token)} in ${context}`);
    this.input.fail(token.text + this.#startedElsewhere(token));
  }

  /** For an action that runs over several lines: where it began. */
  #startedElsewhere(token: Token): string {
    if (this.actionAt === undefined) return "";
    const line = this.input.line(this.actionAt);
    if (line === this.input.line(token.at)) return "";
    return `${token.text.endsWith(" action") ? "" : " in action"} started at ${this.input.name}:${line}`;
  }

  protected expect(types: readonly TokenType[], context: string): Token {
    const token = this.input.nextNonSpace();
    return types.includes(token.type) ? token : this.unexpected(token, context);
  }

  protected unquoted({ text }: Token): string {
    return unquote(text) ?? this.input.fail("invalid syntax");
  }

  protected pipeline(context: string, end: TokenType): PipeNode {
    this.input.enter();
    const { at } = this.input.peekNonSpace();
    const { declares, assigns } = this.#declarations(context);
    const commands: CommandNode[] = [];
    for (let token = this.input.peekNonSpace(); token.type !== end; token = this.input.peekNonSpace()) {
      if (!isOperandType(token.type)) this.unexpected(token, context);
      commands.push(this.#commandNode());
    }
    this.input.next();
    this.#checkCommands(commands, context);
    this.input.leave();
    return { type: "pipe", at, declares, assigns, commands };
  }

  #checkCommands(commands: readonly CommandNode[], context: string): void {
    if (commands.length === 0) this.input.fail(`missing value for ${context}`);
    const stage = commands.findIndex(({ args: [first] }, index) => index > 0 && literalTypes.has(first.type));
    if (stage > 0) this.input.fail(`non executable command in pipeline stage ${stage + 1}`);
  }

  /** `$x :=`, `$x =`, and for a range also `$i, $x :=`. */
  #declarations(context: string): { declares: VariableNode[]; assigns: boolean } {
    const declares: VariableNode[] = [];
    for (;;) {
      const mark = this.input.mark();
      const variable = this.input.peekNonSpace();
      if (variable.type !== "variable") return { declares, assigns: false };
      this.input.next();
      const next = this.input.peekNonSpace();
      const isComma = next.type === "char" && next.text === ",";
      if (!isComma && next.type !== "assign" && next.type !== "declare") {
        this.input.rewind(mark);
        return { declares, assigns: false };
      }
      this.input.next();
      declares.push({ type: "variable", at: variable.at, path: variable.text.split(".") });
      this.variables.push(variable.text);
      if (!isComma) return { declares, assigns: next.type === "assign" };
      this.#checkSecondVariable(context, declares.length);
    }
  }

  #checkSecondVariable(context: string, count: number): void {
    if (context !== "range" || count > 1) this.input.fail(`too many declarations in ${context}`);
    const { type } = this.input.peekNonSpace();
    if (type !== "variable" && type !== "rightDelim" && type !== "rightParen") {
      this.input.fail("range can only initialize variables");
    }
  }

  /** Operands apart by spaces, up to and including a pipe sign, or up to the end of the pipeline. */
  #commandNode(): CommandNode {
    const { at } = this.input.peekNonSpace();
    const args: ArgumentNode[] = [];
    for (;;) {
      this.input.peekNonSpace();
      const operand = this.#operand();
      if (operand !== undefined) args.push(operand);
      const token = this.input.peek();
      if (token.type === "rightDelim" || token.type === "rightParen") break;
      this.input.next();
      if (token.type === "pipe") break;
      if (token.type !== "space") this.unexpected(token, "operand");
    }
    const [first, ...rest] = args;
    return first === undefined ? this.input.fail("empty command") : { type: "command", at, args: [first, ...rest] };
  }

  /** A term and the fields after it; undefined when what follows is no operand. */
  #operand(): ArgumentNode | undefined {
    const term = this.#term();
    const { type, at } = this.input.peek();
    if (term === undefined || type !== "field") return term;
    const path: string[] = [];
    while (this.input.peek().type === "field") path.push(this.input.next().text.slice(1));
    if (term.type === "field" || term.type === "variable") return { type: term.type, at, path: [...term.path, ...path] };
    if (literalTypes.has(term.type)) this.input.fail(`unexpected . after term ${quote(sourceOf(term))}`);
    return { type: "chain", at, of: term, path };
  }

  #term(): ArgumentNode | undefined {
    const token = this.input.peekNonSpace();
    const { type, text, at } = token;
    if (!isOperandType(type)) return undefined;
    this.input.next();
    switch (type) {
      case "identifier":
        return this.isFunction(text) ? { type, at, name: text } : this.input.fail(`function ${quote(text)} not defined`);
      case "dot":
      case "nil":
        return { type, at };
      case "variable":
        return this.variables.includes(text) ? { type, at, path: [text] } : this.input.fail(`undefined variable ${quote(text)}`);
      case "field":
        return { type, at, path: [text.slice(1)] };
      case "bool":
        return { type, at, value: text === "true" };
      case "charConstant":
      case "complex":
      case "number": {
        const number = readNumber(token);
        return typeof number === "string" ? this.input.fail(number) : number;
      }
      case "leftParen":
        return this.pipeline("parenthesized pipeline", "rightParen");
      case "string":
      case "rawString":
        return { type: "string", at, literal: text, value: this.unquoted(token) };
    }
  }
}

function isOperandType(type: TokenType): type is OperandType {
  return (operandTypes as readonly TokenType[]).includes(type);
}
