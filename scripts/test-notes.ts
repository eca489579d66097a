/**
 * What a process of tests tells the runner while it runs: a JSON line for each thing that happens, on a pipe of its own,
 * so that a process that is killed loses nothing of what it had found out.
 */
import { writeSync } from "node:fs";

/** The pipe's number in the process of tests; {@link notesVariable} says that it is there. */
export const notesDescriptor = 3;
export const notesVariable = "DOCKER_MACHINE_TEST_NOTES";

export type TestNote =
  | { readonly kind: "begun" | "ended"; readonly test: string }
  | { readonly kind: "passed" | "failed"; readonly test: string }
  | { readonly kind: "skipped"; readonly test: string; readonly reason: string }
  /** Nothing follows: whether and how the process ends says nothing about its tests any more. */
  | { readonly kind: "done" };

/** Tells the runner, where there is one. */
export function tell(note: TestNote): void {
  if (process.env[notesVariable] === "1") writeSync(notesDescriptor, `${JSON.stringify(note)}\n`);
}
