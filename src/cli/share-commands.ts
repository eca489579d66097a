/** Machines for others: shared with guests, or handed over. */
import type { Command } from "./command.ts";
import { expects, noArguments, onMachines } from "./command-shapes.ts";
import { selectionFlags } from "./selection/selection-flags.ts";

const guestCommands: readonly Command[] = [
  {
    name: "share request",
    summary: "Print the public key by which you can be a guest on machines of others",
    flags: [],
    arity: noArguments,
    output: "facts",
    load: () => import("./commands/share-request.ts"),
  },
  {
    name: "share accept",
    summary: "Take a machine that somebody shares with you into your store",
    description: "Argument is the ticket that its owner was given.",
    argumentText: "TICKET",
    flags: [{ kind: "string", name: "name", usage: "Your name for the machine; the owner's unless given" }],
    arity: expects("one ticket as an argument", 1, 1),
    output: "progress",
    load: () => import("./commands/share-accept.ts"),
  },
  {
    name: "share ls",
    summary: "Show with whom machines are shared, as they say themselves",
    ...onMachines,
    output: "facts",
    load: () => import("./commands/share-ls.ts"),
  },
];

export const shareCommands: readonly Command[] = [
  {
    name: "export",
    summary: "Put machines into a file for another computer, which only its user can open",
    description:
      "Arguments are machine names. The machine itself is not touched; the key by which a box of yours was adopted stays here.",
    argumentText: "NAME...",
    flags: [
      { kind: "strings", name: "to", usage: "Key of age that can open it, as age1...; several times for several people" },
      { kind: "bool", name: "passphrase", usage: "A passphrase opens it; it is asked for, or read from standard input" },
      { kind: "string", name: "file", usage: "File to write; printed unless given" },
      {
        kind: "bool",
        name: "with-ca",
        usage: "The certificate authority of this store goes along, for whoever takes over all of it",
      },
      ...selectionFlags,
    ],
    selects: true,
    output: "facts",
    load: () => import("./commands/export.ts"),
  },
  {
    name: "import",
    summary: "Take the machines of such a file into this store",
    description: "Argument is the file. Each machine's engine gets a certificate of this store.",
    argumentText: "FILE",
    flags: [{ kind: "string", name: "identity", usage: "File of age with the key that opens it; a passphrase unless given" }],
    arity: expects("one file as an argument", 1, 1),
    output: "facts",
    load: () => import("./commands/import.ts"),
  },
  {
    name: "share",
    summary: "Let somebody use the engines of machines, by a key of their own and for a time",
    description:
      "Arguments are machine names. Each prints a ticket for the guest; nothing in it is secret. Whoever may use an engine is root on its machine.",
    argumentText: "NAME...",
    flags: [
      { kind: "string", name: "with", usage: "The guest's public key, or a file with it" },
      { kind: "string", name: "as", usage: "Names the guest; the comment of the key unless given" },
      { kind: "string", name: "for", usage: "How long, such as 8h or 30d" },
      {
        kind: "string",
        name: "mode",
        usage: "What the key opens: the engine alone, or a shell (engine, shell)",
        value: "engine",
        choices: ["engine", "shell"],
      },
      {
        kind: "bool",
        name: "tls",
        usage:
          "A client certificate for the guest's RSA or ECDSA key, 24h at most: nothing takes it back, and it opens all engines of this store",
      },
      { kind: "string", name: "folder", usage: "With --tls: folder for ca.pem and cert.pem; made where there is none" },
      { kind: "bool", name: "y", usage: "Assumes automatic yes to share" },
      ...selectionFlags,
    ],
    selects: true,
    output: "facts",
    subcommands: guestCommands,
    load: () => import("./commands/share.ts"),
  },
  {
    name: "unshare",
    summary: "Shut guests out of a machine, and end what they have open",
    description: "Arguments are a machine name and the names of guests.",
    argumentText: "NAME GUEST...",
    flags: [],
    arity: expects("a machine name and the names of guests as arguments", 2),
    output: "facts",
    load: () => import("./commands/unshare.ts"),
  },
];
