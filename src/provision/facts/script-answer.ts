import type { RawFacts } from "./parse-facts.ts";

/** What a script said, as far as it concerns the caller. */
export interface ScriptAnswer {
  readonly facts: RawFacts;
  readonly changed: readonly string[];
  /** The script's own verdict, if it gave one. */
  readonly fail?: { readonly code: string; readonly message: string } | undefined;
  readonly hint?: string | undefined;
  /** The words of the service that failed. */
  readonly why: readonly string[];
  readonly begun: boolean;
  readonly ended: boolean;
  /** Lines of the programs it ran, both streams, in the order they came. */
  readonly output: readonly string[];
  readonly status: number;
}
