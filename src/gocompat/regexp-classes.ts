/** Character classes of Go's regular expressions, as members of JavaScript's (`v` flag, so that classes nest). */

/** First and last code point. */
type Range = readonly [first: number, last: number];

const digits: readonly Range[] = [[0x30, 0x39]];
const lower: readonly Range[] = [[0x61, 0x7a]];
const upper: readonly Range[] = [[0x41, 0x5a]];
const spaces: readonly Range[] = [
  [0x09, 0x0a],
  [0x0c, 0x0d],
  [0x20, 0x20],
];
const wordCharacters: readonly Range[] = [...digits, ...upper, [0x5f, 0x5f], ...lower];

/** `\d`, `\s` and `\w`; ASCII only, unlike JavaScript's. */
const perlClasses: Readonly<Record<string, readonly Range[]>> = { d: digits, s: spaces, w: wordCharacters };

/** `[:alpha:]` and its like. */
const posixClasses: Readonly<Record<string, readonly Range[]>> = {
  alnum: [...digits, ...upper, ...lower],
  alpha: [...upper, ...lower],
  ascii: [[0, 0x7f]],
  blank: [
    [0x09, 0x09],
    [0x20, 0x20],
  ],
  cntrl: [
    [0, 0x1f],
    [0x7f, 0x7f],
  ],
  digit: digits,
  graph: [[0x21, 0x7e]],
  lower,
  print: [[0x20, 0x7e]],
  punct: [
    [0x21, 0x2f],
    [0x3a, 0x40],
    [0x5b, 0x60],
    [0x7b, 0x7e],
  ],
  space: [
    [0x09, 0x0d],
    [0x20, 0x20],
  ],
  upper,
  word: wordCharacters,
  xdigit: [...digits, [0x41, 0x46], [0x61, 0x66]],
};

const category = /^(?:C[cfos]?|L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?)$/;
const casedLetters = /^L[ltu]$/;

/** Letters that ASCII ones stand for when case is ignored, and that case conversion does not lead to. */
const distantVariants: Readonly<Record<string, string>> = { k: "\u212a", s: "\u017f" };

/** A range longer than this is taken to hold its letters in all their cases. */
const longestFoldedRange = 0x1000;

/** Members for `\d` … `\W`. */
export function perlClass(letter: string, ignoreCase: boolean): string {
  const name = letter.toLowerCase();
  return group(perlClasses[name] ?? [], letter !== name, ignoreCase);
}

/** Members for `[:NAME:]`, or `[:^NAME:]` when negated; undefined for an unknown name. */
export function posixClass(name: string, isNegated: boolean, ignoreCase: boolean): string | undefined {
  const ranges = Object.hasOwn(posixClasses, name) ? posixClasses[name] : undefined;
  return ranges && group(ranges, isNegated, ignoreCase);
}

/** Members for `\p{NAME}`: a general category, a script, or Any; undefined for an unknown name. */
export function unicodeClass(name: string, isNegated: boolean, ignoreCase: boolean): string | undefined {
  const letter = isNegated ? "P" : "p";
  if (name === "Any") return isNegated ? "[^\\p{Any}]" : "\\p{Any}";
  if (ignoreCase && casedLetters.test(name)) return isNegated ? "[^\\p{Lu}\\p{Ll}\\p{Lt}]" : "\\p{Lu}\\p{Ll}\\p{Lt}";
  if (category.test(name)) return `\\${letter}{${name}}`;
  const script = `\\${letter}{Script=${name}}`;
  return /^[A-Z][A-Za-z_]+$/.test(name) && isValid(script) ? script : undefined;
}

/** Members for the characters from one to another. */
export function rangeClass(first: number, last: number, ignoreCase: boolean): string {
  return group([[first, last]], false, ignoreCase);
}

/** The character and, when case is ignored, those it is the same as. */
export function caseVariants(codePoint: number): number[] {
  const character = String.fromCodePoint(codePoint);
  const variants = new Set([character, ...otherCases(character)]);
  for (const variant of [...variants].flatMap(otherCases)) variants.add(variant);
  return [...variants].map((variant) => variant.codePointAt(0) ?? 0);
}

function otherCases(character: string): string[] {
  const cases = [character.toLowerCase(), character.toUpperCase()];
  return [...cases, distantVariants[character.toLowerCase()] ?? character].filter((variant) => Array.from(variant).length === 1);
}

/** The source of one character, inside or outside a class. */
export function codePointSource(codePoint: number): string {
  const character = String.fromCodePoint(codePoint);
  return /[0-9A-Za-z]/.test(character) ? character : `\\u{${codePoint.toString(16)}}`;
}

function group(ranges: readonly Range[], isNegated: boolean, ignoreCase: boolean): string {
  const members = ranges.map((range) => membersOf(range, ignoreCase)).join("");
  return isNegated ? `[^${members}]` : members;
}

function membersOf([first, last]: Range, ignoreCase: boolean): string {
  const own = `${codePointSource(first)}-${codePointSource(last)}`;
  if (!ignoreCase || last - first > longestFoldedRange) return own;
  const all = Array.from({ length: last - first + 1 }, (_, offset) => caseVariants(first + offset)).flat();
  const others = new Set(all.filter((codePoint) => codePoint < first || codePoint > last));
  return own + [...others].map(codePointSource).join("");
}

function isValid(source: string): boolean {
  try {
    return new RegExp(source, "v") instanceof RegExp;
  } catch {
    return false;
  }
}
