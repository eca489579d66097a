/**
 * A YAML text as a tree of which each part knows where it stands, so that whoever does not like it can say so. Anchors and
 * merge keys (`<<`) are followed; what they lead to stands where it was written. The library is loaded where there is a text.
 */
import type { Document, Node, Pair } from "yaml";
import type { MachineError } from "../errors/machine-error.ts";

/** Where something stands: `/home/me/machines.yml:3:5`. */
export type Place = string;

/** What the reader of a file makes of something that is wrong in it. */
export type Complain = (place: Place, problem: string, hint?: string) => MachineError;

interface Placed {
  readonly place: Place;
}

export interface WrittenScalar extends Placed {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
  /** As it is spelled: of the number 28.1 perhaps `28.10`. */
  readonly source: string;
}

export interface WrittenList extends Placed {
  readonly kind: "list";
  readonly items: readonly Written[];
}

export interface WrittenMap extends Placed {
  readonly kind: "map";
  readonly entries: readonly WrittenEntry[];
}

export type Written = WrittenScalar | WrittenList | WrittenMap;

export interface WrittenEntry {
  readonly key: string;
  /** Of the key. */
  readonly place: Place;
  readonly value: Written;
}

/** For text that YAML takes for something else. */
export const quoteHint = 'Put text into quotes: "1.10" is a version, 1.10 a number.';

/** Throws what `complain` makes of a text that is no YAML, holds several documents, or refers to itself. */
export async function parseYaml(text: string, file: string, complain: Complain): Promise<Written> {
  const yaml = await import("yaml");
  const lines = new yaml.LineCounter();
  const document: Document = yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const [broken] = document.errors;
  if (broken !== undefined) {
    const problem = broken.code === "MULTIPLE_DOCS" ? "a second document begins here" : `this is no YAML: ${broken.message}`;
    throw complain(placeAt(broken.pos[0]), problem, hintAt(text, broken.pos[0]));
  }
  return new Reading(yaml, document, placeAt, complain).read(document.contents);
}

/** What helps against the usual reasons why a text is no YAML; undefined for others. @param offset where it stops being one */
function hintAt(text: string, offset: number): string | undefined {
  const [before = ""] = /[^\n]*$/u.exec(text.slice(0, offset)) ?? [];
  // In { } and [ ] a brace begins a mapping, whatever stands before it.
  const variable = before.endsWith("$") ? /^\{[^{}\n]*\}/u.exec(text.slice(offset)) : null;
  if (variable !== null) return `Inside { } and [ ], what holds $${variable[0]} is put in quotes: "$${variable[0]}"`;
  const isNameInBraces = /[{,]\s*[\w.-]+$/u.test(before) && /^[[{]/u.test(text.slice(offset));
  if (isNameInBraces || /^\s*[[{][^:]*[\]}]$/u.test(before))
    return "A name that begins with a bracket, or has one inside { }, is put in quotes.";
  if (/^[@%`]/u.test(text.slice(offset))) return `Put text that begins with ${text[offset]} in quotes.`;
  return text[offset] === "\t" ? "Indent with blanks." : undefined;
}

/** Each node is read once, however many aliases lead to it. */
class Reading {
  readonly #yaml: typeof import("yaml");
  readonly #document: Document;
  readonly #placeAt: (offset: number) => Place;
  readonly #complain: Complain;
  readonly #known = new Map<unknown, Written>();
  readonly #open = new Set<unknown>();

  constructor(yaml: typeof import("yaml"), document: Document, placeAt: (offset: number) => Place, complain: Complain) {
    this.#yaml = yaml;
    this.#document = document;
    this.#placeAt = placeAt;
    this.#complain = complain;
  }

  read(node: unknown): Written {
    const known = this.#known.get(node);
    if (known !== undefined) return known;
    if (this.#open.has(node)) throw this.#complain(this.#place(node), "this refers to itself");
    this.#open.add(node);
    const written = this.#readNew(node);
    this.#open.delete(node);
    if (node !== null) this.#known.set(node, written);
    return written;
  }

  #readNew(node: unknown): Written {
    const { isAlias, isMap, isSeq, isScalar } = this.#yaml;
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      if (target === undefined) throw this.#complain(this.#place(node), `no anchor &${node.source} stands before this`);
      return this.read(target);
    }
    const place = this.#place(node);
    if (isMap(node)) return { kind: "map", place, entries: this.#entries(node.items) };
    if (isSeq(node)) return { kind: "list", place, items: node.items.map((item) => this.read(item)) };
    const value: unknown = isScalar(node) ? node.value : null;
    const source = isScalar(node) ? (node.source ?? "") : "";
    if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean")
      return { kind: "scalar", place, value, source };
    throw this.#complain(place, "this is no text, number, true or false", quoteHint);
  }

  /** A mapping's own keys weigh more than merged ones, and what is merged first more than what comes later. */
  #entries(pairs: readonly Pair[]): WrittenEntry[] {
    const { isScalar } = this.#yaml;
    const own = pairs.filter((pair) => !isMergeKey(pair.key));
    const merged = pairs.filter((pair) => isMergeKey(pair.key)).flatMap((pair) => this.#mergedEntries(pair.value));
    const entries = own.map(({ key, value }) => {
      const place = this.#place(key);
      if (!isScalar(key)) throw this.#complain(place, "this is no name", "Put a name that begins with a bracket in quotes.");
      return { key: key.source ?? String(key.value), place, value: this.read(value) };
    });
    const names = new Set<string>();
    return [...entries, ...merged].filter(({ key }) => !names.has(key) && names.add(key));
  }

  #mergedEntries(value: unknown): readonly WrittenEntry[] {
    const written = this.read(value);
    const sources = written.kind === "list" ? written.items : [written];
    return sources.flatMap((source) => {
      if (source.kind === "map") return source.entries;
      throw this.#complain(source.place, "what << takes over is no mapping of names to values");
    });
  }

  #place(node: unknown): Place {
    return this.#placeAt((node as Node | null)?.range?.[0] ?? 0);
  }
}

/** As the library marks it, and as it is spelled where it stands for nothing else. */
function isMergeKey(key: unknown): boolean {
  const value: unknown = (key as { readonly value?: unknown } | null)?.value;
  return value === "<<" || (typeof value === "symbol" && value.description === "<<");
}

/** The entries of a mapping; none where nothing is written. Throws for what is no mapping. */
export function entriesOf(written: Written, what: string, complain: Complain): readonly WrittenEntry[] {
  if (isNothing(written)) return [];
  if (written.kind === "map") return written.entries;
  throw complain(written.place, `${what} is no mapping of names to values`);
}

/** Whether there is no value, or `null`. */
export function isNothing(written: Written | undefined): boolean {
  return written === undefined || (written.kind === "scalar" && written.value === null);
}

/** Throws for what is no text, a number among them. */
export function textOf(written: Written, what: string, complain: Complain): string {
  if (written.kind === "scalar" && typeof written.value === "string") return written.value;
  throw complain(written.place, `the value of ${what} is no text`, quoteHintOf(written));
}

/** For a number or a switch where text belongs, how it is to be spelled. */
export function quoteHintOf(written: Written): string | undefined {
  if (written.kind !== "scalar" || written.value === null) return undefined;
  const { source, value } = written;
  if (typeof value !== "number" || String(value) === source) return `Write it in quotes: "${source}"`;
  return `To YAML ${source} is the number ${value}. Write it in quotes: "${source}"`;
}
