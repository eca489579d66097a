/**
 * What other commands have changed on a machine since its fleet's file was applied, as its record tells: `ttl`, `upgrade --to`,
 * `ssh-host-key`. The file says what it said before, so that nothing else would show it. Pure.
 */
import type { FlagValue } from "../../driver-kit/create-flag.ts";
import { deadlineText, isInstant, parseIdle, spanText } from "../../machine/lifetime/deadline.ts";
import { deadlineOf } from "../../machine/lifetime/recorded-lifetime.ts";
import type { HostExtra } from "../../store/host-record.ts";

/** What the record has in place of a flag's value; undefined where it has just that, or does not tell. */
export function recordedValue(flag: string, value: FlagValue, extra: HostExtra, now: Date): string | undefined {
  return typeof value === "string" ? recorded[flag]?.(value, extra, now) : undefined;
}

type Recorded = (value: string, extra: HostExtra, now: Date) => string | undefined;

/** Each gives nothing where the record is as the value says. */
const recorded: Readonly<Record<string, Recorded>> = {
  ttl: (value, extra, now) => {
    const deadline = deadlineOf(extra);
    if (!isInstant(value)) return deadline === undefined ? "off" : undefined;
    // What has passed cannot be wished for any more.
    if (Date.parse(value) <= now.getTime() || deadline?.getTime() === Date.parse(value)) return undefined;
    return deadline === undefined ? "off" : deadlineText(deadline);
  },
  idle: (value, { IdleSeconds: seconds }) => {
    if (seconds === undefined) return "off";
    return seconds === parseIdle(value) ? undefined : spanText(seconds);
  },
  "engine-version": (value, { EngineVersion: version }) => (version === value ? undefined : version),
  "ssh-host-key": (value, { SshHostKey: key }) => (key === value.replace(/=$/u, "") ? undefined : (key ?? "any")),
};
