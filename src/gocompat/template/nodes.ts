/** The syntax tree of a template, and the source form in which error texts quote its parts. */
import { quote } from "../quote.ts";
import type { Complex } from "../value.ts";

interface Positioned {
  /** Where error texts locate it, in UTF-16 units of the source. */
  readonly at: number;
}

/** A number constant under every type that can hold it. */
export interface NumberNode extends Positioned {
  readonly type: "number";
  readonly text: string;
  readonly int?: bigint | undefined;
  readonly uint?: bigint | undefined;
  readonly float?: number | undefined;
  readonly complex?: Complex | undefined;
}

export interface PipeNode extends Positioned {
  readonly type: "pipe";
  readonly declares: readonly VariableNode[];
  /** `=` rather than `:=`. */
  readonly assigns: boolean;
  readonly commands: readonly CommandNode[];
}

export interface CommandNode extends Positioned {
  readonly type: "command";
  readonly args: readonly [ArgumentNode, ...ArgumentNode[]];
}

export interface FieldNode extends Positioned {
  readonly type: "field";
  readonly path: readonly string[];
}

export interface VariableNode extends Positioned {
  readonly type: "variable";
  /** The name with its dollar sign, then fields. */
  readonly path: readonly string[];
}

/** Fields of a function's result or of a parenthesised pipeline. */
export interface ChainNode extends Positioned {
  readonly type: "chain";
  readonly of: ArgumentNode;
  readonly path: readonly string[];
}

export interface IdentifierNode extends Positioned {
  readonly type: "identifier";
  readonly name: string;
}

export type ArgumentNode =
  | PipeNode
  | FieldNode
  | VariableNode
  | ChainNode
  | IdentifierNode
  | NumberNode
  | (Positioned & { readonly type: "dot" | "nil" })
  | (Positioned & { readonly type: "bool"; readonly value: boolean })
  | (Positioned & { readonly type: "string"; readonly literal: string; readonly value: string });

export interface ActionNode extends Positioned {
  readonly type: "action";
  readonly pipe: PipeNode;
}

export interface BranchNode extends Positioned {
  readonly type: "if" | "range" | "with";
  readonly pipe: PipeNode;
  readonly body: readonly StatementNode[];
  readonly otherwise: readonly StatementNode[] | undefined;
}

export interface TemplateNode extends Positioned {
  readonly type: "template";
  readonly name: string;
  readonly pipe: PipeNode | undefined;
}

export type StatementNode =
  | (Positioned & { readonly type: "text"; readonly text: string })
  | ActionNode
  | BranchNode
  | TemplateNode
  | (Positioned & { readonly type: "break" | "continue" });

/** Nodes that an execution error can be located at. */
export type LocatedNode = ArgumentNode | CommandNode | ActionNode | TemplateNode;

/** The node as source text. */
export function sourceOf(node: LocatedNode): string {
  switch (node.type) {
    case "action":
      return `{{${sourceOf(node.pipe)}}}`;
    case "template":
      return `{{template ${quote(node.name)}${node.pipe === undefined ? "" : ` ${sourceOf(node.pipe)}`}}}`;
    case "pipe": {
      const declares = node.declares.map(sourceOf).join(", ");
      return (declares === "" ? "" : `${declares} := `) + node.commands.map(sourceOf).join(" | ");
    }
    case "command":
      return node.args.map(operandSource).join(" ");
    case "field":
      return node.path.map((name) => `.${name}`).join("");
    case "variable":
      return node.path.join(".");
    case "chain":
      return [operandSource(node.of), ...node.path].join(".");
    case "identifier":
      return node.name;
    case "number":
      return node.text;
    case "string":
      return node.literal;
    case "bool":
      return String(node.value);
    case "dot":
      return ".";
    case "nil":
      return "nil";
  }
}

function operandSource(node: ArgumentNode): string {
  return node.type === "pipe" ? `(${sourceOf(node)})` : sourceOf(node);
}

/** Whether statements are empty of everything but white space. */
export function isBlank(statements: readonly StatementNode[]): boolean {
  return statements.every((node) => node.type === "text" && node.text.trim() === "");
}
