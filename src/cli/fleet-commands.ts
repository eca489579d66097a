/** The commands for many machines, as data. */
import type { Command } from "./command.ts";
import { argumentsAreMachines, noArguments, onMachine, onMachines } from "./command-shapes.ts";
import { detailedExitFlag, driftFlag, fileFlag, ignoreFlag } from "./fleet/fleet-flags.ts";
import { shareCommands } from "./share-commands.ts";
import { storeCommand } from "./team-commands.ts";
import { selectionFlags } from "./selection/selection-flags.ts";

const contextCommands: readonly Command[] = [
  {
    name: "context create",
    summary: "Make docker contexts that lead to machines",
    ...onMachines,
    output: "facts",
    load: () => import("./commands/context-create.ts"),
  },
  {
    name: "context use",
    summary: "Have the docker client of this computer use a machine from now on",
    ...onMachine,
    argumentText: "NAME",
    flags: [],
    output: "facts",
    load: () => import("./commands/context-use.ts"),
  },
  {
    name: "context rm",
    summary: "Remove the docker contexts of machines; the machines stay",
    ...onMachines,
    output: "facts",
    load: () => import("./commands/context-rm.ts"),
  },
];

const onMachinesOfFile = {
  description: "Arguments are the names of the machines that it is about; all of the file and the fleet unless some are given.",
  argumentText: "[NAME...]",
} as const;

/** On the file that says which machines there should be. */
const fileCommands: readonly Command[] = [
  {
    name: "plan",
    summary: "Show what apply would do to have the machines that a file describes",
    ...onMachinesOfFile,
    flags: [
      fileFlag,
      detailedExitFlag,
      driftFlag,
      ignoreFlag,
      { kind: "string", name: "import", usage: "Print in its place how this machine would stand in such a file" },
      { kind: "string", name: "save", usage: "Keep the plan in this file, for apply --plan" },
    ],
    output: "facts",
    load: () => import("./commands/plan.ts"),
  },
  {
    name: "apply",
    summary: "Make machines what a file says they should be",
    ...onMachinesOfFile,
    flags: [
      fileFlag,
      { kind: "string", name: "plan", usage: "Do what this saved plan says, if nothing has changed since" },
      { ...driftFlag, usage: "Look at the machines too, and put right what differs from their records" },
      ignoreFlag,
      { kind: "int", name: "parallel", usage: "Machines at the same time", value: 10 },
      { kind: "bool", name: "downgrade", usage: "Take engines that are newer than the file says back to its version" },
      { kind: "bool", name: "prune", usage: "Remove machines of the fleet that are in the file no more" },
      { kind: "strings", name: "replace", usage: "Make this machine anew, with all that is on it gone" },
      { kind: "bool", name: "yes", aliases: ["y"], usage: "Assumes automatic yes to what is planned" },
    ],
    output: "progress",
    load: () => import("./commands/apply.ts"),
  },
  {
    name: "drift",
    summary: "Look at the machines of a fleet for what is not as recorded, and change nothing",
    ...onMachinesOfFile,
    flags: [fileFlag, detailedExitFlag, ignoreFlag],
    output: "facts",
    load: () => import("./commands/drift.ts"),
  },
  {
    name: "destroy",
    summary: "Remove all machines of a fleet",
    flags: [
      { kind: "string", name: "fleet", usage: "The name of the fleet" },
      { kind: "bool", name: "restore", usage: "Undo on adopted machines what was installed and changed there" },
    ],
    arity: { max: 0, message: "Error: This removes a whole fleet, by --fleet NAME; machines are removed by rm" },
    output: "progress",
    load: () => import("./commands/destroy.ts"),
  },
  {
    name: "schema",
    summary: "Print the JSON schema of a fleet's file, with the flags of the drivers that are here",
    flags: [],
    arity: noArguments,
    output: "facts",
    load: () => import("./commands/schema.ts"),
  },
];

export const fleetCommands: readonly Command[] = [
  ...fileCommands,
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
    name: "context",
    summary: "Make docker contexts of machines, and keep them in step",
    flags: [],
    output: "facts",
    subcommands: contextCommands,
  },
  {
    name: "ssh-config",
    summary: "Print entries of ssh_config for machines, or keep them in yours",
    description:
      "Arguments are machine names; all machines unless some are given. NAME.docker-machine is then known to ssh, rsync and docker.",
    argumentText: "[NAME...]",
    flags: [
      { kind: "bool", name: "install", usage: "Keep entries for all machines, from now on too, by a line in ~/.ssh/config" },
      { kind: "bool", name: "uninstall", usage: "Take that line out again" },
      { kind: "bool", name: "y", usage: "Assumes automatic yes to write that line" },
      ...selectionFlags,
    ],
    selects: true,
    output: "facts",
    load: () => import("./commands/ssh-config.ts"),
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
    name: "ttl",
    summary: "Have machines powered off at a deadline or when nothing uses them, or print when",
    description:
      "Arguments are machine names, then how long from now on (90m, 8h, 7d), a time (2026-11-28T18:00:00Z), or off, which ends both.",
    argumentText: "[NAME...] [DEADLINE|off]",
    flags: [
      { kind: "string", name: "idle", usage: "Powered off after this long without a container and a connection too: 2h, off" },
      { kind: "bool", name: "ttl-power-off", usage: "Also where the machine was there before, and is somebody's own" },
      ...selectionFlags,
    ],
    selects: true,
    output: "facts",
    load: () => import("./commands/ttl.ts"),
  },
  ...shareCommands,
  storeCommand,
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
