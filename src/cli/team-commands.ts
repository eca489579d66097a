/** A store that several people share. */
import type { CliFlag } from "./flags/flag.ts";
import type { Command } from "./command.ts";
import { expects, noArguments, oneMachine, onMachines } from "./command-shapes.ts";
import { selectionFlags } from "./selection/selection-flags.ts";

const url = expects("the address of the team's store as an argument", 1, 1);

/** Of those who enter a team. */
const entryFlags: readonly CliFlag[] = [
  { kind: "string", name: "name", usage: "Your name in the team; that of the user unless given" },
  { kind: "string", name: "user", usage: "Who logs in to the database" },
  { kind: "string", name: "password", usage: "Where the password is: file:PATH, keychain:SERVICE, cmd:COMMAND, env:NAME" },
  {
    kind: "string",
    name: "ca",
    usage: "File with the certificate authority of the database, where this computer does not know it",
  },
  { kind: "string", name: "client-cert", usage: "File with the certificate that is shown to the database" },
  { kind: "string", name: "client-key", usage: "File with its key" },
  { kind: "string", name: "identity", usage: "Where your age identity is, as for --password; a file that is made unless given" },
];

const teamCommands: readonly Command[] = [
  {
    name: "store init",
    summary: "Make this store a team's, kept in a database that the team has",
    description: "Argument is etcd://HOST:2379[,HOST:2379]/NAME or postgres://HOST/DATABASE/NAME.",
    argumentText: "URL",
    flags: entryFlags,
    arity: url,
    output: "facts",
    load: () => import("./commands/store-init.ts"),
  },
  {
    name: "store join",
    summary: "Make this store a part of a team's, once a member has added you",
    description: "Argument is the address that the team's store was made with.",
    argumentText: "URL",
    flags: [
      ...entryFlags,
      { kind: "string", name: "token", usage: "Where the token of an invitation is, as for --password: nobody is waited for" },
      { kind: "bool", name: "y", usage: "Assumes automatic yes to join" },
    ],
    arity: url,
    output: "facts",
    load: () => import("./commands/store-join.ts"),
  },
  {
    name: "store invite",
    summary: "Print a token by which somebody joins the team once, without being waited for: for CI",
    description: "Argument is the name that they get in the team.",
    argumentText: "NAME",
    flags: [
      { kind: "string", name: "for", usage: "How long it can be used, 7d at most", value: "1h" },
      { kind: "string", name: "file", usage: "File to write it to, for you alone; printed unless given" },
    ],
    arity: expects("the name of a new member as an argument", 1, 1),
    output: "facts",
    load: () => import("./commands/store-invite.ts"),
  },
  {
    name: "store add",
    summary: "Add somebody to the team: they can do all that you can",
    description: "Arguments are a name and the recipient (age1...) that their store join printed.",
    argumentText: "NAME RECIPIENT",
    flags: [],
    arity: expects("a name and a recipient as arguments", 2, 2),
    output: "facts",
    load: () => import("./commands/store-add.ts"),
  },
  {
    name: "store remove",
    summary: "Remove somebody from the team: what is written from now on they cannot read",
    description: "Argument is a member's name.",
    argumentText: "NAME",
    flags: [],
    arity: expects("the name of a member as an argument", 1, 1),
    output: "facts",
    load: () => import("./commands/store-remove.ts"),
  },
  {
    name: "store push",
    summary: "Give the team machines of this store as they are here",
    ...onMachines,
    flags: [
      {
        kind: "bool",
        name: "keep-keys",
        usage: "Boxes that were adopted get no key pairs of their own: others use their engines alone",
      },
      { kind: "bool", name: "y", usage: "Assumes automatic yes to push" },
      ...selectionFlags,
    ],
    output: "progress",
    load: () => import("./commands/store-push.ts"),
  },
  {
    name: "store pull",
    summary: "Take machines as the team has them, whatever was changed here",
    ...onMachines,
    output: "progress",
    load: () => import("./commands/store-pull.ts"),
  },
  {
    name: "store log",
    summary: "Show who changed what in the team's store, and when",
    description: "Argument is a machine name; without one all changes are shown, those of members too.",
    argumentText: "[NAME]",
    flags: [{ kind: "string", name: "since", usage: "How long ago, or since when: 24h, 7d, 2026-11-28" }],
    arity: oneMachine,
    output: "facts",
    load: () => import("./commands/store-log.ts"),
  },
  {
    name: "store check",
    summary: "Put the team's database to the test",
    flags: [],
    arity: noArguments,
    output: "facts",
    load: () => import("./commands/store-check.ts"),
  },
  {
    name: "store leave",
    summary: "Make this store one of this computer alone again, with all that is in it",
    flags: [],
    arity: noArguments,
    output: "facts",
    load: () => import("./commands/store-leave.ts"),
  },
];

export const storeCommand: Command = {
  name: "store",
  summary: "Show where this store is, and who shares it",
  description: "A team's store is kept in etcd or PostgreSQL; docs/team.md says how.",
  flags: [],
  arity: noArguments,
  output: "facts",
  subcommands: teamCommands,
  load: () => import("./commands/store.ts"),
};
