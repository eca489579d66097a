/** The commands for many machines, as data. */
import type { Command } from "./command.ts";
import { selectionFlags } from "./selection/selection-flags.ts";

const argumentsAreMachines = "Argument(s) are one or more machine names.";

export const fleetCommands: readonly Command[] = [
  {
    name: "label",
    summary: "Give labels to machines, or print them",
    description: "Arguments are machine names, then KEY=VALUE to set a label and KEY- to take one away.",
    argumentText: "[NAME...] [KEY=VALUE...] [KEY-...]",
    flags: selectionFlags,
    selects: true,
    output: "facts",
    load: () => import("./commands/label.ts"),
  },
  {
    name: "exec",
    summary: "Run a command on several machines at once",
    description:
      "Arguments are machine names; the command stands behind two dashes. One word is a line of shell, several are a program and its arguments.",
    argumentText: "[NAME...] -- COMMAND...",
    flags: [
      { kind: "bool", name: "group", usage: "Print equal outputs once, below the names of their machines" },
      { kind: "int", name: "parallel", usage: "Machines at the same time", value: 32 },
      { kind: "string", name: "timeout", usage: "Bound on each machine, such as 30s or 10m", value: "5m" },
      { kind: "string", name: "stdin", usage: "File that each command reads as its standard input; nothing unless given" },
      ...selectionFlags,
    ],
    selects: true,
    takesCommand: "behind-dashes",
    output: "facts",
    load: () => import("./commands/exec.ts"),
  },
  {
    name: "doctor",
    summary: "Look for what is wrong with this computer and with machines, and say what helps",
    description: "Arguments are machine names; all machines unless some are given.",
    argumentText: "[NAME...]",
    flags: [
      { kind: "bool", name: "verbose", aliases: ["v"], usage: "Show all that was looked at, not only what is wrong" },
      { kind: "bool", name: "fix", usage: "Do what can be done safely, and say so before" },
      { kind: "bool", name: "pull", usage: "Ask each machine too whether its engine could pull from its registry" },
      ...selectionFlags,
    ],
    selects: true,
    output: "facts",
    load: () => import("./commands/doctor.ts"),
  },
  {
    name: "with",
    summary: "Run a program on this computer whose docker engine is a machine's",
    description:
      "Arguments are a machine name and the program with its arguments, behind two dashes or without; a shell where there is none.",
    argumentText: "[NAME] -- COMMAND...",
    flags: [{ kind: "bool", name: "ssh", usage: "Reach the engine over SSH, also where it listens at a port of its own" }],
    takesCommand: "named",
    output: "facts",
    load: () => import("./commands/with.ts"),
  },
  {
    name: "protect",
    summary: "Keep machines from being removed or killed, also by force",
    description: argumentsAreMachines,
    flags: selectionFlags,
    selects: true,
    output: "progress",
    load: () => import("./commands/protect.ts"),
  },
  {
    name: "unprotect",
    summary: "Allow machines to be removed and killed again",
    description: argumentsAreMachines,
    flags: selectionFlags,
    selects: true,
    output: "progress",
    load: () => import("./commands/protect.ts"),
  },
];
