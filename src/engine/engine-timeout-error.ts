/** A connection to an engine that took too long, and how far it had come: that tells who is to blame. */
import { MachineError } from "../errors/machine-error.ts";

/** How far a connection had come. */
export type DialStage = "connecting" | "handshake" | "answer";

export const noAnswerHint = "The machine may be off, have another address by now, or be behind a firewall that drops packets.";
const silenceHint =
  "Somebody takes connections there and says nothing: the engine hangs, or what forwards the port leads nowhere.";

export class EngineTimeoutError extends MachineError {
  readonly stage: DialStage;

  constructor(stage: DialStage, message: string) {
    super("engine-timeout", message, { hint: stage === "connecting" ? noAnswerHint : silenceHint });
    this.stage = stage;
  }
}

/** Whether somebody took the connection who then said nothing more: no packets are dropped on the way there. */
export function isTakenAndSilent(error: unknown): boolean {
  return error instanceof EngineTimeoutError && error.stage !== "connecting";
}
