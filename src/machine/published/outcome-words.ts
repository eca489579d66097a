/** What became of a published port, for people. */
import type { PortOutcome } from "./watcher-note.ts";

export const outcomeWords: Readonly<Record<PortOutcome, string>> = {
  open: "127.0.0.1 of this computer leads there",
  "in-use": "a program of this computer has the port; it is taken as soon as it is free",
  "not-allowed": "you may not open this port on this computer",
  "given-away": "the port leads to another one of the machine, as it was told to",
  inside: "it is published at an address that leads nowhere but in the machine",
};
