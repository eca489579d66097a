/**
 * Go's text/template: {@link parseTemplate}, then {@link executeTemplate} as often as needed, over JSON data or typed
 * Go values. No I/O. Texts, places and wording of errors are those of Go 1.19, a superset of what 0.16.2 was built
 * with; where that release has a bug (`range $x = …` overwriting another variable) the later, corrected meaning is used.
 */
import { toDisplayText } from "../go-string.ts";
import { goValue, type GoFunction } from "../value.ts";
import { builtins } from "./builtins.ts";
import { execute } from "./template-executor.ts";
import { parse, type Definitions } from "./parser.ts";

export { TemplateError } from "./template-error.ts";

export interface Template {
  readonly name: string;
  readonly source: string;
  readonly definitions: Definitions;
  readonly functions: Readonly<Record<string, GoFunction>>;
}

export interface TemplateOptions {
  /** Functions besides the builtin ones; they win over a builtin of the same name. */
  readonly functions?: Readonly<Record<string, GoFunction>> | undefined;
}

/**
 * @param name what errors call the template; 0.16.2 uses the empty name
 * Throws `TemplateError`, code `template-invalid`, for example `template: :1: unclosed action`.
 */
export function parseTemplate(name: string, source: string, options: TemplateOptions = {}): Template {
  const functions = options.functions ?? {};
  const isFunction = (word: string): boolean => Object.hasOwn(functions, word) || Object.hasOwn(builtins, word);
  return { name, source, functions, definitions: parse(name, source, isFunction) };
}

/**
 * The template's output for this data.
 * @param data JSON data as Go decodes it (objects are maps, numbers floats), or a `GoValue` of other types
 * Throws `TemplateError`, whose `output` is what was written before: 0.16.2 had printed that already.
 */
export function executeTemplate(template: Template, data: unknown): string {
  const { name, source, functions, definitions } = template;
  const execution = { name, source, functions, output: "", depth: 0 };
  execute(execution, definitions, name, goValue(data));
  return toDisplayText(execution.output);
}
