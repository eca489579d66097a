/** What somebody may have meant who mistyped a word. Pure. */

/**
 * The candidate that differs from the word by fewest letters, where those are few enough to be a slip: none in a letter alone,
 * one in words of up to five, a third of longer ones. Letters that changed places count once, case and dashes against underscores not.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = plain(word);
  let best: string | undefined;
  let least = wanted.length < 2 ? 1 : Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = candidate === word ? 0 : editDistance(wanted, plain(candidate), least);
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** `Did you mean "web"?`, as a hint; undefined where nothing is near. */
export function didYouMean(
  word: string,
  candidates: Iterable<string>,
  show: (found: string) => string = quoted,
): string | undefined {
  const found = nearest(word, candidates);
  return found === undefined ? undefined : `Did you mean ${show(found)}?`;
}

function quoted(text: string): string {
  return `"${text}"`;
}

function plain(text: string): string {
  return text.toLowerCase().replaceAll("_", "-");
}

/** Optimal string alignment distance; anything not below `limit` comes back as `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let [before, previous] = [[] as number[], Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const isSame = a[row - 1] === b[column - 1];
      let cost = Math.min(at(previous, column) + 1, at(current, column - 1) + 1, at(previous, column - 1) + (isSame ? 0 : 1));
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (isSwap) cost = Math.min(cost, at(before, column - 2) + 1);
      current.push(cost);
    }
    if (Math.min(...current) >= limit) return limit;
    [before, previous] = [previous, current];
  }
  return Math.min(at(previous, b.length), limit);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
