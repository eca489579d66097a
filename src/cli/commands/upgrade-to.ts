/** `upgrade --to VERSION`: a roll-out over the machines that are named or selected. */
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { isVersion, parseEngineVersion } from "../../machine/rollout/engine-version.ts";
import { requireRolledOut, type RolloutPace } from "../../machine/rollout/roll-out.ts";
import { rollOutEngine, type EngineRollout, type RolledOutEngine } from "../../machine/rollout/upgrade-to.ts";
import { readTimeText } from "../../system/time-text.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import type { CommandOptions } from "../flags/parse-flags.ts";
import { openContext } from "../open-context.ts";
import { isAgreed, selectedNames } from "../selection/select-machines.ts";

export async function run(invocation: Invocation, context: CliContext): Promise<void> {
  const rollout = rolloutOf(invocation.options);
  const names = await selectedNames(openContext(context), invocation, context);
  if (!(await isAgreed(invocation, names, context))) return;
  const view = await context.showProgress(names);
  const machineContext = openContext(context, (name) => view.reportFor(name));
  try {
    const machines = await rollOutEngine(machineContext, names, rollout, context.signal);
    for (const { name, error } of machines) view.finish(name, error);
    view.close();
    for (const machine of machines) sayEnd(context, machine, rollout.version);
    const hint = "Mend what failed, and give the same command again: what is new already is left alone.";
    requireRolledOut(machines, hint);
  } finally {
    view.close();
  }
}

function sayEnd(context: CliContext, { name, before, state }: RolledOutEngine, version: string): void {
  if (state !== "new") return;
  const text = isVersion(before, version)
    ? `Docker of "${name}" is ${before} already`
    : `Docker of "${name}" was ${before === "" ? "not to be asked" : before} and is ${version} now`;
  if (context.globals.output === "text") context.print(text);
  else logTo(context.report, "info", text);
}

function rolloutOf(options: CommandOptions): EngineRollout {
  return {
    version: parseEngineVersion(options.string("to"), "--to"),
    downgrade: options.bool("downgrade"),
    maxUnavailable: share(options.string("max-unavailable")),
    maxFail: atLeast(options.int("max-fail"), 0, "max-fail"),
    first: options.isSet("first") ? atLeast(options.int("first"), 1, "first") : undefined,
    pauseMs: time(options.string("pause"), "pause"),
    healthy: {
      containers: options.bool("ignore-containers") ? "ignored" : "as-before",
      command: options.string("gate") === "" ? undefined : options.string("gate"),
      withinMs: time(options.string("within"), "within"),
    },
  };
}

/** `2`, or `20%`. */
function share(text: string): RolloutPace["maxUnavailable"] {
  const [, digits = "", percent = ""] = /^(\d{1,6})(%?)$/u.exec(text) ?? [];
  const amount = Number(digits);
  if (amount >= 1 && percent === "") return { machines: amount };
  if (amount >= 1 && amount <= 100) return { percent: amount };
  throw wrong("max-unavailable", text, "a number of machines from 1 on, or a share of them such as 20%");
}

function atLeast(value: number, least: number, flag: string): number {
  if (value >= least) return value;
  throw wrong(flag, String(value), `a number from ${least} on`);
}

function time(text: string, flag: string): number {
  const ms = text === "0" || text === "" ? 0 : readTimeText(text);
  if (ms !== undefined) return ms;
  throw wrong(flag, text, "a time such as 90s or 10m");
}

function wrong(flag: string, value: string, wanted: string): MachineError {
  return new MachineError("usage", `invalid value ${JSON.stringify(value)} for --${flag}: expected ${wanted}`);
}
