/** `ttl NAME... [4h|off]`: when machines are powered off; without a change it prints that. */
import { formatSpan, isDeadline, parseDeadline, parseIdle } from "../../machine/lifetime/deadline.ts";
import type { LifetimeChange } from "../../machine/lifetime/set-lifetime.ts";
import { tellLifetime, type MachineLifetime } from "../../machine/lifetime/tell-lifetime.ts";
import { formatInstant } from "../../system/time-text.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { openContext } from "../open-context.ts";
import { readMachines } from "../named-machines.ts";
import { isSelected } from "../selection/selection-flags.ts";

export async function run({ options, args }: Invocation, context: CliContext): Promise<void> {
  // The first word is a machine, whatever it looks like, unless a filter selects them.
  const last = args.length > (isSelected(options) ? 0 : 1) ? args.at(-1) : undefined;
  const word = last !== undefined && (last === "off" || isDeadline(last)) ? last : undefined;
  const names = word === undefined ? args : args.slice(0, -1);
  const now = openContext(context).clock.now();
  const change = changeOf(options, word, now);
  await readMachines(
    context,
    { options, args: names },
    async (machineContext, name) => {
      if (change === undefined) return jsonOf(await tellLifetime(machineContext, name, context.signal));
      await (await import("../../machine/lifetime/set-lifetime.ts")).setLifetime(machineContext, name, change, context.signal);
      return jsonOf(await tellLifetime(machineContext, name, context.signal));
    },
    (told) => linesOf(told, now),
  );
}

function changeOf(options: Invocation["options"], word: string | undefined, now: Date): LifetimeChange | undefined {
  const idle = options.string("idle");
  if (word === undefined && idle === "") return undefined;
  return {
    deadline: word === undefined || word === "off" ? word : parseDeadline(word, now),
    // Without a deadline and with one that stays, a machine would be powered off all the same.
    idle: idle === "" ? (word === "off" ? "off" : undefined) : idle === "off" ? "off" : parseIdle(idle),
    powerOff: options.bool("ttl-power-off"),
  };
}

interface ToldLifetime {
  readonly name: string;
  readonly expires?: string | undefined;
  readonly idleSeconds?: number | undefined;
  readonly isPending: boolean;
  readonly idleSince?: string | undefined;
  readonly busy?: string | undefined;
  readonly offInSeconds?: number | undefined;
  readonly complaint?: string | undefined;
}

function jsonOf({ name, deadline, idleSeconds, isPending, onHost, complaint }: MachineLifetime): ToldLifetime {
  return {
    ...{ name, expires: deadline?.toISOString(), idleSeconds, isPending, complaint },
    ...{ idleSince: onHost?.idleSince?.toISOString(), busy: onHost?.busy, offInSeconds: onHost?.offInSeconds },
  };
}

function linesOf(told: ToldLifetime, now: Date): string[] {
  const { name, expires, idleSeconds, isPending, offInSeconds } = told;
  const lines = [
    ...(expires === undefined ? [] : [deadlineText(new Date(expires), now)]),
    ...(idleSeconds === undefined ? [] : [`powered off after ${formatSpan(idleSeconds)} without use; ${useText(told, now)}`]),
    ...(offInSeconds === undefined ? [] : [`has warned: powered off in ${formatSpan(offInSeconds)}`]),
    ...(isPending ? ["the machine itself is told at its next start"] : []),
  ];
  return (lines.length === 0 ? ["goes on until it is removed"] : lines).map((line) => `${name}: ${line}`);
}

function deadlineText(deadline: Date, now: Date): string {
  const left = (deadline.getTime() - now.getTime()) / 1000;
  return left > 0
    ? `powered off at ${formatInstant(deadline)}, in ${formatSpan(left)}`
    : `its time was over at ${formatInstant(deadline)}`;
}

function useText({ idleSince, busy = "", complaint, isPending }: ToldLifetime, now: Date): string {
  if (complaint !== undefined) return `since when is not known: ${complaint}`;
  if (busy !== "") return `in use by ${busy}`;
  if (idleSince === undefined) return isPending ? "not looked at yet" : "looked at within a minute";
  const since = new Date(idleSince);
  return `unused since ${formatInstant(since)}, for ${formatSpan((now.getTime() - since.getTime()) / 1000)}`;
}
