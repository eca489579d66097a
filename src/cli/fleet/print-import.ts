/** A machine that exists as an entry of a fleet's file. */
import { engineKeys } from "../../fleet/file/scope.ts";
import { importMachine, type ImportedMachine } from "../../fleet/plan/import.ts";
import { logTo } from "../../log/event.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import type { CliContext } from "../cli-context.ts";
import { cliFlagSource } from "./cli-flag-source.ts";

/** Gives the exit status. Throws `machine-not-found`. */
export async function printImport(name: string, machineContext: MachineContext, context: CliContext): Promise<number> {
  const imported = await importMachine(machineContext, name, cliFlagSource(context.computer));
  const entry = entryOf(imported);
  if (context.globals.output === "json") context.printJson({ [name]: entry });
  else {
    const { stringify } = await import("yaml");
    const text = stringify({ [name]: entry }, { lineWidth: 0 });
    context.print(text.trimEnd().replaceAll(/^/gmu, "  "));
  }
  for (const flag of imported.secrets)
    logTo(
      context.report,
      "warn",
      `${flag} is kept as a value: say in the file where it is, as env:NAME, file:PATH, cmd:COMMAND or keychain:NAME`,
    );
  for (const objection of imported.objections)
    logTo(context.report, "warn", `The record of "${name}" cannot be had again from this alone: ${objection}`);
  return 0;
}

function entryOf({ driverName, flags, labels, isProtected }: ImportedMachine): object {
  const keys = new Map(Object.entries(engineKeys).map(([key, flag]) => [flag as string, key]));
  const { "engine-transport": transport, ...others } = flags;
  const engine = Object.entries(others).flatMap(([flag, value]) => {
    const key = keys.get(flag);
    return key === undefined ? [] : [[key, value] as const];
  });
  const own = Object.entries(others).filter(([flag]) => !keys.has(flag));
  return {
    driver: driverName,
    ...Object.fromEntries(own),
    ...(transport === undefined ? {} : { transport }),
    ...(engine.length === 0 ? {} : { engine: Object.fromEntries(engine) }),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    ...(isProtected ? { protect: true } : {}),
  };
}
