/** Go's regular expressions (RE2 syntax), as `ls --filter name=` takes them: in linear time, whatever the pattern. */
import { MachineError, messageOf } from "../../errors/machine-error.ts";

/**
 * Whether a text has a match. The engine is loaded only where there is a pattern. Throws `usage` with Go's text, for
 * example ``error parsing regexp: missing closing ]: `[a` ``.
 */
export async function compileNamePattern(pattern: string): Promise<(text: string) => boolean> {
  const { RE2JS } = await import("re2js");
  try {
    const compiled = RE2JS.compile(pattern);
    return (text) => compiled.test(text);
  } catch (error) {
    throw new MachineError("usage", messageOf(error), { cause: error });
  }
}
