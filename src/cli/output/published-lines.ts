/** The ports of a machine's containers on this computer, a line each. */
import type { PublishedFacts } from "../../machine/published/published-facts.ts";
import { outcomeWords } from "../../machine/published/outcome-words.ts";

/** None where containers' ports do not come here. */
export function publishedLines(published: PublishedFacts | undefined): string[] {
  if (published === undefined) return [];
  const lines = published.ports.map(({ protocol, port, containers, outcome }) => {
    const of = `(${containers.join(", ")})`;
    return outcome === "open"
      ? `127.0.0.1:${port} -> ${port}/${protocol} ${of}`
      : `127.0.0.1:${port} is not to be had for ${port}/${protocol} ${of}: ${outcomeWords[outcome]}`;
  });
  return published.trouble === undefined ? lines : [...lines, `Its engine is not heard just now: ${published.trouble}`];
}
