/** The commands that 0.16.2 does not have. */
import type { Command } from "./command.ts";
import { argumentsAreMachines, expects, noArguments, onMachine, oneMachine } from "./command-shapes.ts";
import { completeCommand, completionCommand } from "./everyday-commands.ts";
import { fleetCommands } from "./fleet-commands.ts";
import { selectionFlags } from "./selection/selection-flags.ts";

const oneDriver = expects("one driver name as an argument", 1, 1);

const driverCommands: readonly Command[] = [
  {
    name: "driver ls",
    summary: "List built-in drivers and driver plugins",
    flags: [],
    arity: noArguments,
    output: "facts",
    load: () => import("./commands/driver-ls.ts"),
  },
  {
    name: "driver inspect",
    summary: "Show a driver's create flags",
    argumentText: "NAME",
    flags: [],
    arity: oneDriver,
    output: "facts",
    load: () => import("./commands/driver-inspect.ts"),
  },
  {
    name: "driver serve",
    summary: "Serve a built-in driver as a plugin to another program",
    argumentText: "NAME",
    flags: [],
    arity: oneDriver,
    output: "facts",
    load: () => import("./commands/driver-serve.ts"),
  },
  {
    name: "driver new",
    summary: "Write the project of a new driver",
    argumentText: "NAME",
    flags: [],
    arity: oneDriver,
    output: "progress",
    load: () => import("./commands/driver-new.ts"),
  },
];

const cacheCommands: readonly Command[] = [
  {
    name: "cache ls",
    summary: "List the images, saved states and downloads that are kept for later machines",
    flags: [],
    arity: noArguments,
    output: "facts",
    load: () => import("./commands/cache-ls.ts"),
  },
  {
    name: "cache prune",
    summary: "Remove what is kept for later machines; no machine loses anything",
    flags: [
      { kind: "string", name: "older-than", usage: "Only what was made longer ago than this: 12h, 30d" },
      { kind: "bool", name: "y", usage: "Assumes automatic yes to proceed with remove" },
    ],
    arity: noArguments,
    output: "facts",
    load: () => import("./commands/cache-prune.ts"),
  },
];

const settingsCommands: readonly Command[] = [
  {
    name: "settings path",
    summary: "Print where the settings are",
    flags: [],
    arity: noArguments,
    output: "facts",
    load: () => import("./commands/settings-path.ts"),
  },
  {
    name: "settings edit",
    summary: "Open the settings in an editor, and check them afterwards",
    flags: [],
    arity: noArguments,
    output: "progress",
    load: () => import("./commands/settings-edit.ts"),
  },
  {
    name: "settings check",
    summary: "Check the settings as create would read them",
    flags: [],
    arity: noArguments,
    output: "facts",
    load: () => import("./commands/settings-check.ts"),
  },
];

export const ownCommands: readonly Command[] = [
  ...fleetCommands,
  {
    name: "gc",
    summary: "List what interrupted commands left behind, and remove it",
    flags: [
      { kind: "bool", name: "remove", usage: "Remove what is listed" },
      { kind: "bool", name: "expired", usage: "Remove machines of ours whose deadline (--ttl) has passed, in place of that" },
      { kind: "bool", name: "dry-run", usage: "With --expired: list them, and remove none" },
      { kind: "bool", name: "y", usage: "Assumes automatic yes to proceed with remove" },
    ],
    arity: noArguments,
    output: "facts",
    load: () => import("./commands/gc.ts"),
  },
  {
    name: "edit",
    summary: "Give machines other sizes",
    description: argumentsAreMachines,
    argumentText: "NAME...",
    flags: [
      { kind: "string", name: "cpus", usage: "Number of CPUs, such as 4" },
      { kind: "string", name: "memory", usage: "Memory, such as 8GB; MB without a unit" },
      ...selectionFlags,
    ],
    selects: true,
    arity: expects("one or more machine names as arguments", 1),
    output: "progress",
    load: () => import("./commands/edit.ts"),
  },
  {
    name: "rename",
    summary: "Give a machine another name",
    description: "Arguments are the name and the new one; the machine itself is not touched.",
    argumentText: "NAME NEW-NAME",
    flags: [],
    arity: expects("a machine name and its new name as arguments", 2, 2),
    output: "progress",
    load: () => import("./commands/rename.ts"),
  },
  {
    name: "wait",
    summary: "Wait until machines can be used",
    description: argumentsAreMachines,
    flags: [
      {
        kind: "string",
        name: "for",
        usage: "What to wait for: the engine's answer, a login by SSH, or a state (engine, ssh, running, stopped)",
        value: "engine",
        choices: ["engine", "ssh", "running", "stopped"],
      },
      { kind: "string", name: "within", usage: "How long to wait, such as 90s or 10m", value: "10m" },
      ...selectionFlags,
    ],
    selects: true,
    output: "progress",
    load: () => import("./commands/wait.ts"),
  },
  {
    name: "port",
    summary: "Have ports of this computer lead to a machine",
    description:
      "Arguments are a machine name, then ports as [ADDRESS:]HOSTPORT[:PORT][/udp]; without ports those that QEMU has open for its machine are printed. QEMU's machines keep them open; for others an SSH connection carries them for as long as the command runs, and ending it closes them.",
    argumentText: "NAME [PORT...]",
    flags: [{ kind: "strings", name: "close", usage: "Close this port of this computer" }],
    arity: expects("a machine name as an argument", 1),
    output: "facts",
    load: () => import("./commands/port.ts"),
  },
  {
    name: "logs",
    summary: "Show what the engine of a machine wrote",
    ...onMachine,
    flags: [
      { kind: "bool", name: "follow", aliases: ["f"], usage: "Go on with what it writes from now on" },
      { kind: "int", name: "lines", aliases: ["n"], usage: "How many of the last lines", value: 100 },
    ],
    output: "facts",
    load: () => import("./commands/logs.ts"),
  },
  {
    name: "console",
    summary: "Show what a machine printed while it booted",
    ...onMachine,
    flags: [],
    output: "facts",
    load: () => import("./commands/console.ts"),
  },
  {
    name: "ssh-host-key",
    summary: "Show or change the SSH host key that is pinned for a machine",
    ...onMachine,
    flags: [
      { kind: "string", name: "accept", usage: "Pin the key of this fingerprint from now on, as SHA256:..." },
      { kind: "bool", name: "forget", usage: "Forget the pinned key; the next connection pins anew" },
    ],
    output: "facts",
    load: () => import("./commands/ssh-host-key.ts"),
  },
  completionCommand,
  completeCommand,
  {
    name: "__publish",
    summary: "Have the ports of a machine's containers lead there from this computer",
    hidden: true,
    flags: [],
    arity: { ...oneMachine, min: 1 },
    output: "facts",
    load: () => import("./commands/publish.ts"),
  },
  {
    name: "cache",
    summary: "List and empty the cache",
    flags: [],
    output: "facts",
    subcommands: cacheCommands,
  },
  {
    name: "settings",
    summary: "Defaults and profiles of create",
    flags: [],
    output: "facts",
    subcommands: settingsCommands,
  },
  {
    name: "driver",
    summary: "List, inspect, serve and begin drivers",
    flags: [],
    output: "facts",
    subcommands: driverCommands,
  },
];
