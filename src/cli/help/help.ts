/** Help texts with what the computer adds: the store's path that applies here is shown as a default. */
import type { Computer } from "../../system/computer.ts";
import type { Command } from "../command.ts";
import type { ProgramName } from "../cli-context.ts";
import type { CliFlag } from "../flags/flag.ts";
import { globalFlags } from "../flags/global-flags.ts";
import { defaultStoragePath } from "../flags/global-options.ts";
import { appHelp } from "./app-help.ts";
import { commandHelp } from "./command-help.ts";

export function appHelpText(commands: readonly Command[], computer: Computer, program: ProgramName): string {
  return appHelp(commands, shownGlobalFlags(computer), program);
}

export function shownGlobalFlags(computer: Computer): readonly CliFlag[] {
  const storagePath = computer.env["MACHINE_STORAGE_PATH"] || defaultStoragePath(computer);
  return globalFlags.map((flag) =>
    flag.name === "storage-path" && flag.kind === "string" ? { ...flag, value: storagePath } : flag,
  );
}

export function commandHelpText(command: Command, flags: readonly CliFlag[], program: ProgramName): string {
  return commandHelp(command, flags, program);
}
