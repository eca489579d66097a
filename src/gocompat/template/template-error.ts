/** What goes wrong in a template, with Go's words and the place. */
import { MachineError } from "../../errors/machine-error.ts";
import { byteLength } from "../go-string.ts";

export interface TemplatePlace {
  /** Counted from 1. */
  readonly line: number;
  /** Bytes before the place on its line; Go names it for errors of execution only. */
  readonly column?: number | undefined;
}

/** Code `template-invalid`; the message is Go's, place included. */
export class TemplateError extends MachineError {
  override readonly name: string = "TemplateError";
  readonly place: TemplatePlace;
  /** What an execution had written before it failed; empty for an error of parsing. */
  readonly output: string;

  constructor(message: string, place: TemplatePlace, output = "", cause?: unknown) {
    super("template-invalid", message, { cause });
    this.place = place;
    this.output = output;
  }
}

export function lineAt(source: string, at: number): number {
  return source.slice(0, at).split("\n").length;
}

export function columnAt(source: string, at: number): number {
  return byteLength(source.slice(source.lastIndexOf("\n", at - 1) + 1, at));
}

/** A foreseen failure of a function that a template calls; the evaluator adds where it was called. */
export function functionFailure(message: string): MachineError {
  return new MachineError("template-invalid", message);
}
