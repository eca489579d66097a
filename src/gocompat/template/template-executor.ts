/** Executes the statements of a parsed template in order, writing to one output. */
import { plainVerb } from "../format-directive.ts";
import { formatArgument } from "../format-value.ts";
import { sprint } from "../format.ts";
import { quote } from "../quote.ts";
import { goInt, goString, indirect, type GoValue } from "../value.ts";
import { printable, truth } from "./builtins.ts";
import { Evaluator, type Execution, type Value } from "./evaluator.ts";
import { sourceOf, type ActionNode, type BranchNode, type StatementNode, type TemplateNode } from "./nodes.ts";
import type { Definitions } from "./parser.ts";

/** Templates that call each other deeper than this are taken for endless, before the stack ends. */
const deepest = 1000;

/** How a statement ended: normally, or on the way out of a range. */
type Ending = "break" | "continue" | undefined;

/** Runs the template of that name. Throws `TemplateError`. */
export function execute(execution: Execution, definitions: Definitions, name: string, data: Value): void {
  new Executor(execution, definitions, name, data).run(data, definitions.get(name) ?? []);
}

/** One template with its own variables; those it calls get executors of their own. */
class Executor {
  readonly #execution: Execution;
  readonly #definitions: Definitions;
  readonly #evaluator: Evaluator;

  constructor(execution: Execution, definitions: Definitions, name: string, data: Value) {
    this.#execution = execution;
    this.#definitions = definitions;
    this.#evaluator = new Evaluator(execution, name, data);
  }

  run(dot: Value, statements: readonly StatementNode[]): Ending {
    this.#execution.depth += 1;
    let ending: Ending;
    for (const statement of statements) {
      ending = this.#statement(dot, statement);
      if (ending !== undefined) break;
    }
    this.#execution.depth -= 1;
    return ending;
  }

  #statement(dot: Value, node: StatementNode): Ending {
    switch (node.type) {
      case "text":
        this.#execution.output += node.text;
        return undefined;
      case "action":
        return this.#action(dot, node);
      case "if":
      case "with":
        return this.#branch(dot, node);
      case "range":
        return this.#range(dot, node);
      case "template":
        return this.#template(dot, node);
      case "break":
      case "continue":
        return node.type;
    }
  }

  #action(dot: Value, node: ActionNode): undefined {
    const value = this.#evaluator.pipeline(dot, node.pipe);
    if (node.pipe.declares.length > 0) return;
    this.#evaluator.at(node);
    if (value?.kind === "func") this.#evaluator.fail(`can't print ${sourceOf(node)} of type ${value.type.name}`);
    this.#execution.output += sprint([printable(value)]);
  }

  #branch(dot: Value, node: BranchNode): Ending {
    const height = this.#evaluator.height;
    const value = this.#evaluator.pipeline(dot, node.pipe);
    const ending = truth(value) ? this.run(node.type === "with" ? value : dot, node.body) : this.run(dot, node.otherwise ?? []);
    this.#evaluator.forget(height);
    return ending;
  }

  #range(dot: Value, node: BranchNode): Ending {
    const height = this.#evaluator.height;
    const value = this.#evaluator.pipeline(dot, node.pipe);
    const items = value === undefined ? [] : this.#items(indirect(value));
    const ending = items.length === 0 ? this.run(dot, node.otherwise ?? []) : this.#iterate(node, items);
    this.#evaluator.forget(height);
    return ending;
  }

  #items(value: GoValue): (readonly [key: GoValue, item: Value])[] {
    if (value.kind === "slice") return Array.from({ length: value.length }, (_, index) => [goInt(index), value.at(index)]);
    if (value.kind === "map") return value.keys().map((key) => [goString(key), value.entry(key)]);
    return this.#evaluator.fail(`range can't iterate over ${formatArgument(value, plainVerb)}`);
  }

  /** Variables that the body declares last for one item. */
  #iterate(node: BranchNode, items: readonly (readonly [key: GoValue, item: Value])[]): undefined {
    const names = node.pipe.declares.map(({ path: [name = ""] }) => name);
    const height = this.#evaluator.height;
    for (const [key, item] of items) {
      const [first, second] = names;
      if (first !== undefined) this.#evaluator.assign(first, second === undefined ? item : key);
      if (second !== undefined) this.#evaluator.assign(second, item);
      const ending = this.run(item, node.body);
      this.#evaluator.forget(height);
      if (ending === "break") return;
    }
  }

  #template(dot: Value, node: TemplateNode): Ending {
    this.#evaluator.at(node);
    const statements = this.#definitions.get(node.name);
    if (statements === undefined) return this.#evaluator.fail(`template ${quote(node.name)} not defined`);
    if (this.#execution.depth >= deepest) this.#evaluator.fail(`exceeded maximum template depth (${deepest})`);
    const data = node.pipe === undefined ? undefined : this.#evaluator.pipeline(dot, node.pipe);
    return new Executor(this.#execution, this.#definitions, node.name, data).run(data, statements);
  }
}
