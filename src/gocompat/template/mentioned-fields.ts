/** Which fields of its data a template can look at, so that what nobody will see need not be fetched. */
import type { ArgumentNode, CommandNode, PipeNode, StatementNode } from "./nodes.ts";
import type { Template } from "./template.ts";

/**
 * The names of fields that the template mentions, of its data or of what is in them. Undefined where it passes on all of
 * its data, as `{{.}}` does, so that any may be looked at.
 */
export function mentionedFields({ definitions }: Template): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  const isBounded = [...definitions.values()].every((statements) => statements.every((each) => inStatement(each, names)));
  return isBounded ? names : undefined;
}

function inStatement(node: StatementNode, names: Set<string>): boolean {
  switch (node.type) {
    case "text":
    case "break":
    case "continue":
      return true;
    case "action":
      return inPipe(node.pipe, names);
    case "template":
      return node.pipe === undefined || inPipe(node.pipe, names);
    default:
      return inPipe(node.pipe, names) && [...node.body, ...(node.otherwise ?? [])].every((each) => inStatement(each, names));
  }
}

function inPipe({ commands }: PipeNode, names: Set<string>): boolean {
  return commands.every((command) => inCommand(command, names));
}

function inCommand({ args }: CommandNode, names: Set<string>): boolean {
  return args.every((arg) => inArgument(arg, names));
}

function inArgument(node: ArgumentNode, names: Set<string>): boolean {
  switch (node.type) {
    case "dot":
      return false;
    case "pipe":
      return inPipe(node, names);
    case "chain":
      for (const name of node.path) names.add(name);
      return inArgument(node.of, names);
    case "field":
      for (const name of node.path) names.add(name);
      return true;
    case "variable":
      for (const name of node.path.slice(1)) names.add(name);
      // `$` is all of the data; what another variable holds was mentioned where it was given.
      return node.path[0] !== "$" || node.path.length > 1;
    default:
      return true;
  }
}
