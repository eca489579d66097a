/** 0.16.2's 21 commands as data, in its order and its words: all that most runs of the program have to know. */
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
import { sharedCreateFlags } from "./create/shared-flags.ts";
import type { CliFlag } from "./flags/flag.ts";
import { rolloutFlags, toFlag } from "./flags/rollout-flags.ts";
import { selectionFlags, yesFlag } from "./selection/selection-flags.ts";

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

export const machineCommands: readonly Command[] = [
  {
    name: "active",
    summary: "Print which machine is active",
    flags: [machineTimeout],
    arity: noArguments,
    output: "facts",
    load: () => import("./commands/active.ts"),
  },
  {
    name: "config",
    summary: "Print the connection config for machine",
    description: argumentIsMachine,
    flags: [swarmConfig],
    output: "facts",
    subcommands: [configSetCommand, configRelocateCommand],
    loneWordIsArgument: true,
    load: () => import("./commands/config.ts"),
  },
  {
    name: "create",
    summary: "Create a machine",
    description: (program) =>
      `Run '${program.path} create --driver name --help' to include the create flags for that driver in the help text.`,
    flags: sharedCreateFlags,
    flagSource: "driver",
    arity: { min: 1, message: "Error: No machine name specified", showHelp: true },
    output: "progress",
    load: () => import("./commands/create.ts"),
  },
  {
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
  },
  {
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
  },
  {
    name: "ip",
    summary: "Get the IP address of a machine",
    description: argumentsAreMachines,
    flags: selectionFlags,
    selects: true,
    output: "facts",
    load: () => import("./commands/ip.ts"),
  },
  {
    name: "kill",
    summary: "Kill a machine",
    description: argumentsAreMachines,
    flags: [yesFlag, ...selectionFlags],
    selects: true,
    cutsOff: true,
    output: "progress",
    load: () => import("./commands/kill.ts"),
  },
  {
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
  },
  {
    name: "provision",
    summary: "Re-provision existing machines",
    flags: selectionFlags,
    selects: true,
    output: "progress",
    load: () => import("./commands/provision.ts"),
  },
  {
    name: "regenerate-certs",
    summary: "Regenerate TLS Certificates for a machine",
    description: argumentsAreMachines,
    flags: [
      { kind: "bool", name: "force", aliases: ["f"], usage: "Force rebuild and do not prompt" },
      { kind: "bool", name: "client-certs", usage: "Also regenerate client certificates and CA." },
      { kind: "strings", name: "tls-san", usage: "A further name or address that the certificate is for, from now on" },
      ...selectionFlags,
    ],
    selects: true,
    output: "progress",
    load: () => import("./commands/regenerate-certs.ts"),
  },
  {
    name: "restart",
    summary: "Restart a machine",
    description: argumentsAreMachines,
    flags: [yesFlag, ...selectionFlags],
    selects: true,
    cutsOff: true,
    output: "progress",
    load: () => import("./commands/restart.ts"),
  },
  {
    name: "rm",
    summary: "Remove a machine",
    description: argumentsAreMachines,
    flags: [
      {
        kind: "bool",
        name: "force",
        aliases: ["f"],
        usage: "Remove local configuration even if machine cannot be removed, also implies an automatic yes (`-y`)",
      },
      {
        kind: "bool",
        name: "y",
        usage: "Assumes automatic yes to proceed with remove, without prompting further user confirmation",
      },
      { kind: "bool", name: "restore", usage: "Undo on an adopted machine what was installed and changed there" },
      ...selectionFlags,
    ],
    selects: true,
    arity: expects("to get one or more machine names as arguments", 1),
    output: "progress",
    load: () => import("./commands/rm.ts"),
  },
  {
    name: "ssh",
    summary: "Log into or run a command on a machine with SSH.",
    description: "Arguments are [machine-name] [command]",
    flags: [],
    flagSource: "none",
    output: "facts",
    load: () => import("./commands/ssh.ts"),
  },
  {
    name: "scp",
    summary: "Copy files between machines",
    description: "Arguments are [[user@]machine:][path] [[user@]machine:][path].",
    flags: [
      {
        kind: "bool",
        name: "recursive",
        aliases: ["r"],
        usage: "Copy files recursively (required to copy directories)",
      },
      {
        kind: "bool",
        name: "delta",
        aliases: ["d"],
        usage: "Reduce amount of data sent over network by sending only the differences (uses rsync)",
      },
      {
        kind: "bool",
        name: "quiet",
        aliases: ["q"],
        usage: "Disables the progress meter as well as warning and diagnostic messages from ssh",
      },
      {
        kind: "bool",
        name: "legacy",
        usage: "Use scp's old protocol, for machines without SFTP; what arrives is looked at first",
      },
    ],
    arity: { min: 2, max: 2, message: "Improper number of arguments", showHelp: true },
    output: "progress",
    load: () => import("./commands/scp.ts"),
  },
  {
    name: "mount",
    summary: "Mount or unmount a directory from a machine with SSHFS.",
    description: "Arguments are [machine:][path] [mountpoint]",
    flags: [{ kind: "bool", name: "unmount", aliases: ["u"], usage: "Unmount instead of mount" }],
    arity: { min: 1, max: 2, message: "Improper number of arguments", showHelp: true },
    output: "progress",
    load: () => import("./commands/mount.ts"),
  },
  {
    name: "start",
    summary: "Start a machine",
    description: argumentsAreMachines,
    flags: [
      { kind: "bool", name: "wait", usage: "Take one that runs already as well, and wait until it can be used" },
      ...selectionFlags,
    ],
    selects: true,
    output: "progress",
    load: () => import("./commands/start.ts"),
  },
  {
    name: "status",
    summary: "Get the status of a machine",
    ...onMachine,
    flags: [],
    output: "facts",
    load: () => import("./commands/status.ts"),
  },
  {
    name: "stop",
    summary: "Stop a machine",
    description: argumentsAreMachines,
    flags: [
      { kind: "bool", name: "suspend", usage: "Keep the machine's memory; start goes on where it was" },
      yesFlag,
      ...selectionFlags,
    ],
    selects: true,
    cutsOff: true,
    output: "progress",
    load: () => import("./commands/stop.ts"),
  },
  {
    name: "upgrade",
    summary: "Upgrade a machine to the latest version of Docker",
    description: argumentsAreMachines,
    flags: [toFlag, ...rolloutFlags, yesFlag, ...selectionFlags],
    selects: true,
    cutsOff: true,
    output: "progress",
    load: () => import("./commands/upgrade.ts"),
  },
  {
    name: "url",
    summary: "Get the URL of a machine",
    ...onMachine,
    flags: [],
    output: "facts",
    load: () => import("./commands/url.ts"),
  },
  {
    name: "version",
    summary: "Show the Docker Machine version or a machine docker version",
    flags: [],
    arity: oneMachine,
    output: "facts",
    load: () => import("./commands/version.ts"),
  },
];
