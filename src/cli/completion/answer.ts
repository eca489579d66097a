/**
 * The lines in which `__complete` answers the shells' scripts. First a line of directives, apart by spaces and begun
 * by a colon: `nospace`, `files`, `folders`. Then a line for each candidate, its description behind a tab.
 */
import type { Completion } from "./candidates.ts";

export function answerLines({ candidates, goesOn, paths }: Completion): string[] {
  const directives = [...(goesOn ? ["nospace"] : []), ...(paths === "none" ? [] : [paths])];
  const lines = candidates.map(({ word, description }) =>
    description === undefined ? word : `${word}\t${oneLine(description)}`,
  );
  return [`:${directives.join(" ")}`, ...lines];
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/gu, " ").trim();
}
