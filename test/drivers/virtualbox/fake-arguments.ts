/** VBoxManage's options: `--name value`, `--name=value`, and those without a value. What a command does not know is refused. */
import { Refusal } from "./fake-state.ts";

export interface Given {
  readonly words: readonly string[];
  /** The last value of each. */
  readonly values: ReadonlyMap<string, string>;
  /** All in their order, for commands whose options are carried out one after the other. */
  readonly sequence: readonly (readonly [name: string, values: readonly string[]])[];
}

/**
 * @param arity how many values each option takes; a digit at the end of a name is a card's or a port's, written N here
 * @param aliases other spellings of names
 */
export function parseArguments(
  args: readonly string[],
  arity: Readonly<Record<string, number>>,
  aliases: Readonly<Record<string, string>> = {},
): Given {
  const words: string[] = [];
  const sequence: [string, readonly string[]][] = [];
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? "";
    if (!arg.startsWith("--")) {
      words.push(arg);
      continue;
    }
    const [spelled, inline] = splitOnce(arg);
    const name = aliases[spelled.replace(/\d+$/u, "N")]?.replace("N", /\d+$/u.exec(spelled)?.[0] ?? "") ?? spelled;
    const count = arity[name] ?? arity[name.replace(/\d+$/u, "N")];
    if (count === undefined) throw new Refusal([`Unknown option: ${spelled}`]);
    if (inline !== undefined) sequence.push([name, [inline]]);
    else {
      // A rule is deleted by two words, where one makes it.
      const isDeletion = /^--natpf\d$/u.test(name) && args[at + 1] === "delete";
      const isOff = /^--uart\d$/u.test(name) && args[at + 1] === "off";
      const values = args.slice(at + 1, at + 1 + (isDeletion ? 2 : isOff ? 1 : count));
      if (values.length < count) throw new Refusal([`Missing argument to '${spelled}'`], 2);
      sequence.push([name, values]);
      at += values.length;
    }
  }
  return { words, sequence, values: new Map(sequence.map(([name, values]) => [name, values.join(" ")])) };
}

function splitOnce(text: string): readonly [string, string | undefined] {
  const at = text.indexOf("=");
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
