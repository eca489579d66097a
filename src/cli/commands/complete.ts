/** The hidden command behind the shells' completion scripts: all words typed behind `--`, answered by candidates for the last. */
import type { FileStore } from "../../store/file-store.ts";
import type { Computer } from "../../system/computer.ts";
import type { Command, CommandSource, Invocation } from "../command.ts";
import { answerLines } from "../completion/answer.ts";
import { complete, type CompletionSources } from "../completion/candidates.ts";
import type { CliContext } from "../cli-context.ts";
import type { CliFlag } from "../flags/flag.ts";
import { globalFlags } from "../flags/global-flags.ts";

export async function run({ args: [, ...words], commands }: Invocation, context: CliContext): Promise<void> {
  for (const line of answerLines(await complete(words, await sourcesFor(commands, context)))) context.print(line);
}

async function sourcesFor(commands: CommandSource, context: CliContext): Promise<CompletionSources> {
  const { computer } = context;
  return {
    commands: await commandsFor(commands, computer),
    globalFlags,
    createFlags: async (words) => await createFlags(words, context),
    driverNames: async () => await driverNames(computer),
    machineNames: async (storagePath) => {
      const store = await openStore(storagePath ?? context.globals.storagePath, computer);
      return (await store.list()).toSorted();
    },
    fleetNames: async (storagePath) => await fleetNames(await openStore(storagePath ?? context.globals.storagePath, computer)),
  };
}

/** With the wrapper's own command where that is in use; the script says so. */
async function commandsFor(source: CommandSource, computer: Computer): Promise<readonly Command[]> {
  const commands = await source.all();
  const envCommand = commands.find(({ name }) => name === "env");
  if (computer.env["DOCKER_MACHINE_WRAPPED"] !== "true" || envCommand === undefined) return commands;
  return [...commands, { ...envCommand, name: "use" }];
}

/** Without a driver's own flags where the driver is unknown, or its plugin fails. */
async function createFlags(words: readonly string[], { computer, compat }: CliContext): Promise<readonly CliFlag[]> {
  const [{ flagsOfDriver, ownerOfFlag }, { createFlagsFor }, { sharedCreateFlagsFor }] = await Promise.all([
    import("../../assembly/driver-catalog.ts"),
    import("../flags/create-flag-source.ts"),
    import("../create/shared-flags.ts"),
  ]);
  try {
    return (await createFlagsFor(words, computer, compat, { driverFlags: flagsOfDriver, ownerOfFlag })).flags;
  } catch {
    return sharedCreateFlagsFor(compat);
  }
}

async function driverNames(computer: Computer): Promise<readonly string[]> {
  const [{ builtinDriverNames }, { listPlugins }] = await Promise.all([
    import("../../assembly/driver-catalog.ts"),
    import("../../plugin/discover.ts"),
  ]);
  const plugins = await listPlugins(computer);
  return [...new Set([...builtinDriverNames, ...plugins.map(({ name }) => name)])].toSorted();
}

async function openStore(storagePath: string, { cwd }: Computer): Promise<FileStore> {
  const [store, { systemClock }, path] = await Promise.all([
    import("../../store/file-store.ts"),
    import("../../system/clock.ts"),
    import("node:path"),
  ]);
  return new store.FileStore(path.resolve(cwd, storagePath), systemClock);
}

async function fleetNames(store: FileStore): Promise<readonly string[]> {
  const { fleetMarkOf } = await import("../../machine/fleet-mark.ts");
  const looks = await store.facts(({ extra }) => fleetMarkOf(extra)?.Name);
  return [...new Set(looks.flatMap(({ value }) => value ?? []))].toSorted();
}
