/** Wildcard matching in linear steps: patterns come from files and users, and must not be able to stall the program. */

/** One place of a pattern: any run of characters, or one character that passes a test. */
type Token = "any-run" | ((character: string) => boolean);

/** `*` and `?` alone are special, as in known_hosts. */
export function matchesWildcards(pattern: string, text: string): boolean {
  return matchTokens(Array.from(pattern, wildcard), Array.from(text));
}

/** `*`, `?` and `[…]`, as a shell matches one name: a leading dot is matched by a dot only. */
export function matchesFileGlob(pattern: string, name: string): boolean {
  if (name.startsWith(".") && !pattern.startsWith(".")) return false;
  const parts = pattern.match(/\[!?\]?[^\]]*\]|./gsu) ?? [];
  return matchTokens(
    parts.map((part) => (part.length > 2 ? characterClass(part) : wildcard(part))),
    Array.from(name),
  );
}

function wildcard(character: string): Token {
  if (character === "*") return "any-run";
  return character === "?" ? () => true : (other) => other === character;
}

/** `[abc]`, `[a-z]`, `[!a-z]`. */
function characterClass(text: string): Token {
  const negated = text.startsWith("[!");
  const members = text.slice(negated ? 2 : 1, -1);
  const ranges = members.match(/.-.|./gsu) ?? [];
  return (character) => ranges.some((range) => character >= (range[0] ?? "") && character <= (range.at(-1) ?? "")) !== negated;
}

/** On a mismatch only the last run is lengthened: earlier ones cannot do better. */
function matchTokens(tokens: readonly Token[], text: readonly string[]): boolean {
  let token = 0;
  let position = 0;
  let lastRun = -1;
  let resumeAt = 0;
  while (position < text.length) {
    const current = tokens[token];
    if (current === "any-run") {
      lastRun = token++;
      resumeAt = position;
    } else if (current?.(text[position] ?? "") === true) {
      token += 1;
      position += 1;
    } else if (lastRun >= 0) {
      token = lastRun + 1;
      position = ++resumeAt;
    } else return false;
  }
  return tokens.slice(token).every((rest) => rest === "any-run");
}
