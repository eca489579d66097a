/**
 * What expressions mean: pipelines, fields, variables and calls over {@link GoValue}s, with the checks and the error
 * texts of text/template. An undefined value is no value at all (a missing map key); nil has a type.
 */
import { isMachineError, messageOf } from "../../errors/machine-error.ts";
import { quote } from "../quote.ts";
import {
  anyReflected,
  dynamic,
  goBool,
  goFloat,
  goInt,
  goString,
  GoValue,
  complex128Type,
  indirect,
  interfaceType,
  isNilReference,
  typedValue,
  type GoFunction,
  type GoKind,
  type ParameterType,
} from "../value.ts";
import { builtins, truth } from "./builtins.ts";
import {
  sourceOf,
  type ArgumentNode,
  type ChainNode,
  type CommandNode,
  type FieldNode,
  type IdentifierNode,
  type LocatedNode,
  type NumberNode,
  type PipeNode,
  type VariableNode,
} from "./nodes.ts";
import { columnAt, lineAt, TemplateError } from "./template-error.ts";

export type Value = GoValue | undefined;

/** What one execution shares: where errors are, what functions there are, and what was written. */
export interface Execution {
  readonly name: string;
  readonly source: string;
  readonly functions: Readonly<Record<string, GoFunction>>;
  output: string;
  /** How many lists of statements are under way, one inside the other. */
  depth: number;
}

interface Variable {
  readonly name: string;
  value: Value;
}

/** No value comes down the pipeline: the command is its first. */
const noFinal = Symbol("no final argument");
type Final = Value | typeof noFinal;

const nilKinds: ReadonlySet<GoKind> = new Set<GoKind>(["interface", "map", "slice", "pointer", "func"]);

/** How a literal argument is read for a parameter of a basic kind, and what Go calls that kind when it is something else. */
const literals: Partial<Record<GoKind, { readonly expected: string; readonly read: (node: ArgumentNode) => unknown }>> = {
  bool: { expected: "bool", read: (node) => (node.type === "bool" ? node.value : undefined) },
  string: { expected: "string", read: (node) => (node.type === "string" ? node.value : undefined) },
  int: { expected: "integer", read: (node) => (node.type === "number" ? node.int : undefined) },
  int64: { expected: "integer", read: (node) => (node.type === "number" ? node.int : undefined) },
  uint8: { expected: "unsigned integer", read: (node) => (node.type === "number" ? node.uint : undefined) },
  float64: { expected: "float", read: (node) => (node.type === "number" ? node.float : undefined) },
  complex128: { expected: "complex", read: (node) => (node.type === "number" ? node.complex : undefined) },
};

export class Evaluator {
  readonly #execution: Execution;
  readonly #template: string;
  readonly #variables: Variable[];
  /** The node that an error is at. */
  #node: LocatedNode | undefined;

  constructor(execution: Execution, template: string, data: Value) {
    this.#execution = execution;
    this.#template = template;
    this.#variables = [{ name: "$", value: data }];
  }

  at(node: LocatedNode): void {
    this.#node = node;
  }

  fail(problem: string, cause?: unknown): never {
    const { name, source, output } = this.#execution;
    const at = this.#node?.at ?? 0;
    const place = { line: lineAt(source, at), column: columnAt(source, at) };
    const context = this.#node === undefined ? "" : sourceOf(this.#node);
    const where = `${name}:${place.line}:${place.column}: executing ${quote(this.#template)} at <${context}>`;
    throw new TemplateError(`template: ${where}: ${problem}`, place, output, cause);
  }

  /** The height of the stack of variables, to go back to with {@link forget}. */
  get height(): number {
    return this.#variables.length;
  }

  forget(height: number): void {
    this.#variables.length = height;
  }

  assign(name: string, value: Value): void {
    const variable = this.#variables.findLast((candidate) => candidate.name === name);
    if (variable === undefined) this.fail(`undefined variable: ${name}`);
    variable.value = value;
  }

  /** The value of a pipeline, with its variables declared or assigned. */
  pipeline(dot: Value, pipe: PipeNode): Value {
    this.at(pipe);
    let final: Final = noFinal;
    for (const command of pipe.commands) final = dynamic(this.#command(dot, command, final));
    const value = final === noFinal ? undefined : final;
    for (const { path } of pipe.declares) {
      const [name = ""] = path;
      if (pipe.assigns) this.assign(name, value);
      else this.#variables.push({ name, value });
    }
    return value;
  }

  #command(dot: Value, command: CommandNode, final: Final): Value {
    const [first] = command.args;
    switch (first.type) {
      case "field":
        return this.#field(dot, first, command.args, final);
      case "chain":
        return this.#chain(dot, first, command.args, final);
      case "identifier":
        return this.#function(dot, first, command, command.args, final);
      case "variable":
        return this.#variable(dot, first, command.args, final);
      case "pipe":
        this.#refuseArguments(command.args, final);
        return this.pipeline(dot, first);
      case "dot":
      case "nil":
      case "bool":
      case "string":
      case "number":
        this.at(first);
        this.#refuseArguments(command.args, final);
        return this.#plain(dot, first);
    }
  }

  #plain(dot: Value, node: Exclude<ArgumentNode, PipeNode | FieldNode | ChainNode | VariableNode | IdentifierNode>): Value {
    switch (node.type) {
      case "dot":
        return dot;
      case "nil":
        return this.fail("nil is not a command");
      case "bool":
        return goBool(node.value);
      case "string":
        return goString(node.value);
      case "number":
        return this.#constant(node);
    }
  }

  #refuseArguments(args: readonly ArgumentNode[], final: Final): void {
    const [first] = args;
    if (first !== undefined && (args.length > 1 || final !== noFinal)) {
      this.fail(`can't give argument to non-function ${sourceOf(first)}`);
    }
  }

  /** A number where nothing says its type: its spelling does. */
  #constant(node: NumberNode): GoValue {
    this.at(node);
    if (node.complex !== undefined) return new GoValue(complex128Type, node.complex);
    const isFloat = /[.eEpP]/.test(node.text) && !/^0[xX][^pP]*$/.test(node.text) && !node.text.startsWith("'");
    if (node.float !== undefined && isFloat) return goFloat(node.float);
    return node.int === undefined ? this.fail(`${node.text} overflows int`) : goInt(node.int);
  }

  #field(dot: Value, node: FieldNode, args: readonly ArgumentNode[], final: Final): Value {
    this.at(node);
    return this.#path(dot, dot, node, node.path, args, final);
  }

  #variable(dot: Value, node: VariableNode, args: readonly ArgumentNode[], final: Final): Value {
    this.at(node);
    const [name = "", ...path] = node.path;
    const variable = this.#variables.findLast((candidate) => candidate.name === name);
    if (variable === undefined) return this.fail(`undefined variable: ${name}`);
    if (path.length > 0) return this.#path(dot, variable.value, node, path, args, final);
    this.#refuseArguments(args, final);
    return variable.value;
  }

  #chain(dot: Value, node: ChainNode, args: readonly ArgumentNode[], final: Final): Value {
    this.at(node);
    const value = this.#argument(dot, anyReflected, node.of);
    return this.#path(dot, value, node, node.path, args, final);
  }

  /** `.A.B.C`; only the last may be a method with arguments. */
  #path(
    dot: Value,
    start: Value,
    node: LocatedNode,
    path: readonly string[],
    args: readonly ArgumentNode[],
    final: Final,
  ): Value {
    const receiver = path.slice(0, -1).reduce((value: Value, name) => this.#member(dot, value, node, name, [], noFinal), start);
    return this.#member(dot, receiver, node, path.at(-1) ?? "", args, final);
  }

  #member(dot: Value, receiver: Value, node: LocatedNode, name: string, args: readonly ArgumentNode[], final: Final): Value {
    if (receiver === undefined) return undefined;
    const type = receiver.type.name;
    const target = indirect(receiver);
    if (target.kind === "interface") return this.fail(`nil pointer evaluating ${type}.${name}`);
    const method = isNilReference(target) ? undefined : target.method(name);
    if (method !== undefined) return this.#call(dot, method, node, name, args, final);
    const hasArguments = args.length > 1 || final !== noFinal;
    if (target.kind === "map") {
      if (hasArguments) this.fail(`${name} is not a method but has arguments`);
      return target.entry(name);
    }
    const field = target.kind === "struct" ? target.field(name) : undefined;
    if (field !== undefined && hasArguments) this.fail(`${name} has arguments but cannot be invoked as function`);
    return field ?? this.fail(noMember(target, type, name));
  }

  #function(dot: Value, node: IdentifierNode, at: LocatedNode, args: readonly ArgumentNode[], final: Final): Value {
    this.at(node);
    const own = Object.hasOwn(this.#execution.functions, node.name) ? this.#execution.functions[node.name] : undefined;
    const called = own ?? builtins[node.name];
    if (called === undefined) return this.fail(`${quote(node.name)} is not a defined function`);
    if (called === builtins["and"] || called === builtins["or"]) return this.#decide(dot, node.name, args, final);
    return this.#call(dot, called, at, node.name, args, final);
  }

  /** `and` and `or`: the first argument that decides; those after it are not evaluated. */
  #decide(dot: Value, name: string, args: readonly ArgumentNode[], final: Final): Value {
    const given = args.slice(1);
    this.#checkCount({ params: [anyReflected, anyReflected], variadic: true }, name, given.length, final);
    let value: Value;
    for (const arg of given) {
      value = this.#argument(dot, anyReflected, arg);
      if (truth(value) === (name === "or")) return value;
    }
    return final === noFinal ? value : final;
  }

  #checkCount({ params, variadic }: Pick<GoFunction, "params" | "variadic">, name: string, given: number, final: Final): void {
    const count = given + (final === noFinal ? 0 : 1);
    if (variadic === true) {
      if (count < params.length - 1)
        this.fail(`wrong number of args for ${name}: want at least ${params.length - 1} got ${given}`);
    } else if (count !== params.length) this.fail(`wrong number of args for ${name}: want ${params.length} got ${count}`);
  }

  /** @param args with the function itself first, as on a command line */
  #call(dot: Value, called: GoFunction, node: LocatedNode, name: string, args: readonly ArgumentNode[], final: Final): Value {
    const given = args.slice(1);
    this.#checkCount(called, name, given.length, final);
    const parameter = (index: number): ParameterType => called.params[index] ?? called.params.at(-1) ?? interfaceType;
    const values = given.map((arg, index) => passed(this.#argument(dot, parameter(index), arg), parameter(index)));
    if (final !== noFinal) values.push(passed(this.#fitting(final, parameter(given.length)), parameter(given.length)));
    try {
      return called.call(...values);
    } catch (error) {
      if (!isMachineError(error)) throw error;
      this.at(node);
      return this.fail(`error calling ${name}: ${messageOf(error)}`, error);
    }
  }

  #argument(dot: Value, type: ParameterType, node: ArgumentNode): Value {
    this.at(node);
    switch (node.type) {
      case "dot":
        return this.#fitting(dot, type);
      case "nil":
        return this.#nil(type);
      case "field":
        return this.#fitting(this.#field(dot, node, [node], noFinal), type);
      case "variable":
        return this.#fitting(this.#variable(dot, node, [], noFinal), type);
      case "pipe":
        return this.#fitting(this.pipeline(dot, node), type);
      case "identifier":
        return this.#fitting(this.#function(dot, node, node, [], noFinal), type);
      case "chain":
        return this.#fitting(this.#chain(dot, node, [], noFinal), type);
      case "bool":
      case "string":
      case "number":
        return type === anyReflected || type.kind === "interface" ? this.#plain(dot, node) : this.#literal(type, node);
    }
  }

  #nil(type: ParameterType): Value {
    if (type === anyReflected) return undefined;
    if (!nilKinds.has(type.kind)) this.fail(`cannot assign nil to ${type.name}`);
    return typedValue(type, null);
  }

  #literal(type: Exclude<ParameterType, symbol>, node: ArgumentNode): GoValue {
    const literal = literals[type.kind];
    if (literal === undefined) return this.fail(`can't handle ${sourceOf(node)} for arg of type ${type.name}`);
    const data = literal.read(node);
    return data === undefined ? this.fail(`expected ${literal.expected}; found ${sourceOf(node)}`) : typedValue(type, data);
  }

  /** The value as an argument of that type: what an interface or one pointer leads to, where it does not fit itself. */
  #fitting(value: Value, type: ParameterType): Value {
    if (type === anyReflected) return value;
    if (value === undefined) {
      if (!nilKinds.has(type.kind)) this.fail(`invalid value; expected ${type.name}`);
      return typedValue(type, null);
    }
    if (type.kind === "interface" || value.type.name === type.name) return value;
    const inner = (value.kind === "interface" ? value.elem : undefined) ?? value;
    if (inner.type.name === type.name) return inner;
    if (inner.kind !== "pointer" || inner.type.elem?.name !== type.name) {
      this.fail(`wrong type for value; expected ${type.name}; got ${inner.type.name}`);
    }
    return inner.elem ?? this.fail(`dereference of nil pointer of type ${type.name}`);
  }
}

/** A function with an `interface {}` parameter sees what is in the interface. */
function passed(value: Value, type: ParameterType): Value {
  return type === anyReflected ? value : dynamic(value);
}

function noMember(target: GoValue, type: string, name: string): string {
  const pointed = target.kind === "pointer" ? target.type.elem : undefined;
  const isKnown = pointed !== undefined && (pointed.kind !== "struct" || Object.hasOwn(pointed.fields ?? {}, name));
  return isKnown ? `nil pointer evaluating ${type}.${name}` : `can't evaluate field ${name} in type ${type}`;
}
