/** Every command as data, in the order help lists them: 0.16.2's, then ours. The code of a command is loaded when it runs. */
import type { Command } from "./command.ts";
import { machineCommands } from "./machine-commands.ts";
import { ownCommands } from "./own-commands.ts";

/** `help` itself: its code is in the frame. */
const helpCommand: Command = {
  name: "help",
  aliases: ["h"],
  summary: "Shows a list of commands or help for one command",
  flags: [],
  output: "facts",
};

export const commandTable: readonly Command[] = [...machineCommands, ...ownCommands, helpCommand];
