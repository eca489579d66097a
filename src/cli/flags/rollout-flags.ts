/** Flags of `upgrade --to`: how a version is rolled out. */
import type { CliFlag } from "./flag.ts";

export const toFlag: CliFlag = {
  kind: "string",
  name: "to",
  usage: "Roll this version out, some machines at a time, each judged before more are begun: 28.4",
};

/** Those that are of no use without it. */
export const rolloutFlags: readonly CliFlag[] = [
  {
    kind: "string",
    name: "max-unavailable",
    usage: "With --to: machines at the same time, or a share of them (2, 20%)",
    value: "1",
  },
  { kind: "int", name: "max-fail", usage: "With --to: more failures than this stop it", value: 0 },
  { kind: "string", name: "gate", usage: "With --to: a line of shell that must succeed on each machine afterwards" },
  { kind: "string", name: "within", usage: "With --to: how long a machine has to be as it should be", value: "2m" },
  { kind: "bool", name: "ignore-containers", usage: "With --to: whether containers run as before is not looked at" },
  { kind: "int", name: "first", usage: "With --to: as many machines go first, before all others" },
  {
    kind: "string",
    name: "pause",
    usage: "With --to: how long those are watched; without --first, how long is waited between batches",
  },
  { kind: "bool", name: "downgrade", usage: "With --to: newer engines are taken back to that version" },
];
