/** The commands that prompts, scripts and editors start all the time, as data: all that most runs of the program have to know. */
import type { Command } from "./command.ts";
import {
  argumentIsMachine,
  argumentsAreMachines,
  expects,
  noArguments,
  onMachine,
  onMachines,
  oneMachine,
} from "./command-shapes.ts";
import type { CliFlag } from "./flags/flag.ts";
import { selectionFlags } from "./selection/selection-flags.ts";

const swarmConfig: CliFlag = { kind: "bool", name: "swarm", usage: "Display the Swarm config instead of the Docker daemon" };
const machineTimeout: CliFlag = {
  kind: "int",
  name: "timeout",
  aliases: ["t"],
  usage: "Timeout in seconds, default to 10s",
  value: 10,
};

/** Beside the machine that `config` takes: with nothing behind it, `set` is one of that name. */
const configSetCommand: Command = {
  name: "config set",
  summary: "Give a machine's secrets anew",
  description: "Arguments are a machine name and its secrets; one without a value is asked for, or read from standard input.",
  argumentText: "NAME FLAG[=VALUE]...",
  flags: [],
  arity: expects("a machine name and its secrets as arguments", 1),
  output: "facts",
  load: () => import("./commands/config-set.ts"),
};

/** As `set`, with nothing behind it a machine of that name. */
const configRelocateCommand: Command = {
  name: "config relocate",
  summary: "Write the paths of this store into records that were made in another place",
  ...onMachines,
  output: "facts",
  load: () => import("./commands/config-relocate.ts"),
};

export const activeCommand: Command = {
  name: "active",
  summary: "Print which machine is active",
  flags: [machineTimeout],
  arity: noArguments,
  output: "facts",
  load: () => import("./commands/active.ts"),
};

export const configCommand: Command = {
  name: "config",
  summary: "Print the connection config for machine",
  description: argumentIsMachine,
  flags: [swarmConfig],
  output: "facts",
  subcommands: [configSetCommand, configRelocateCommand],
  loneWordIsArgument: true,
  load: () => import("./commands/config.ts"),
};

export const envCommand: Command = {
  name: "env",
  summary: "Display the commands to set up the environment for the Docker client",
  description: argumentIsMachine,
  flags: [
    swarmConfig,
    {
      kind: "string",
      name: "shell",
      usage:
        "Force environment to be configured for a specified shell: [fish, cmd, powershell, tcsh, emacs], default is auto-detect",
    },
    { kind: "bool", name: "unset", aliases: ["u"], usage: "Unset variables instead of setting them" },
    { kind: "bool", name: "no-proxy", usage: "Add machine IP to NO_PROXY environment variable" },
  ],
  output: "facts",
  load: () => import("./commands/env.ts"),
};

export const inspectCommand: Command = {
  name: "inspect",
  summary: "Inspect information about a machine",
  description: argumentIsMachine,
  flags: [
    { kind: "string", name: "format", aliases: ["f"], usage: "Format the output using the given go template." },
    { kind: "bool", name: "show-secrets", usage: "Show passwords, tokens and keys instead of masking them" },
  ],
  arity: { ...oneMachine, showHelp: true },
  output: "facts",
  load: () => import("./commands/inspect.ts"),
};

export const ipCommand: Command = {
  name: "ip",
  summary: "Get the IP address of a machine",
  description: argumentsAreMachines,
  flags: selectionFlags,
  selects: true,
  output: "facts",
  load: () => import("./commands/ip.ts"),
};

export const lsCommand: Command = {
  name: "ls",
  summary: "List machines",
  flags: [
    { kind: "bool", name: "quiet", aliases: ["q"], usage: "Enable quiet mode" },
    { kind: "strings", name: "filter", usage: "Filter output based on conditions provided" },
    machineTimeout,
    { kind: "string", name: "format", aliases: ["f"], usage: "Pretty-print machines using a Go template" },
    {
      kind: "bool",
      name: "watch",
      aliases: ["w"],
      usage: "Go on showing the machines, and what changes, until interrupted or, at a terminal, q; / filters",
    },
  ],
  output: "facts",
  load: () => import("./commands/ls.ts"),
};

export const sshCommand: Command = {
  name: "ssh",
  summary: "Log into or run a command on a machine with SSH.",
  description: "Arguments are [machine-name] [command]",
  flags: [],
  flagSource: "none",
  output: "facts",
  load: () => import("./commands/ssh.ts"),
};

export const statusCommand: Command = {
  name: "status",
  summary: "Get the status of a machine",
  ...onMachine,
  flags: [],
  output: "facts",
  load: () => import("./commands/status.ts"),
};

export const urlCommand: Command = {
  name: "url",
  summary: "Get the URL of a machine",
  ...onMachine,
  flags: [],
  output: "facts",
  load: () => import("./commands/url.ts"),
};

export const versionCommand: Command = {
  name: "version",
  summary: "Show the Docker Machine version or a machine docker version",
  flags: [],
  arity: oneMachine,
  output: "facts",
  load: () => import("./commands/version.ts"),
};

export const completionCommand: Command = {
  name: "completion",
  summary: "Print the completion script of a shell",
  description: "Argument is bash, zsh, fish or powershell.",
  argumentText: "SHELL",
  flags: [],
  arity: expects("one shell name as an argument", 1, 1),
  subcommands: [
    {
      name: "completion install",
      summary: "Put the completion of shells where they find it",
      description: "Arguments are bash, zsh or fish; without one it is your own shell's. No start-up file is changed.",
      argumentText: "[SHELL...]",
      flags: [],
      output: "facts",
      load: () => import("./commands/completion-install.ts"),
    },
  ],
  output: "facts",
  load: () => import("./commands/completion.ts"),
};

export const completeCommand: Command = {
  name: "__complete",
  summary: "Answer a completion script",
  hidden: true,
  flags: [],
  flagSource: "none",
  output: "facts",
  load: () => import("./commands/complete.ts"),
};

export const everydayCommands: readonly Command[] = [
  activeCommand,
  configCommand,
  envCommand,
  inspectCommand,
  ipCommand,
  lsCommand,
  sshCommand,
  statusCommand,
  urlCommand,
  versionCommand,
  completionCommand,
  completeCommand,
];
