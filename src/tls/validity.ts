/** For how long certificates on disk are valid, and what there is to say about it. Loads no library for that. */
import { derOf, validityOf, type ValidityPeriod } from "../system/certificate-glance.ts";
import { readRegularFileIfExists } from "../system/files.ts";

export interface DatedFile extends ValidityPeriod {
  readonly file: string;
}

/** From when on an end of validity is announced. */
export const expiryWarningDays = 30;

export type ValidityState = "valid" | "expiring" | "expired" | "not-yet-valid";

const dayMs = 24 * 60 * 60 * 1000;

/** Of the first certificate in a PEM file; undefined where there is none that can be read as one. Throws `store-unusable`. */
export async function loadValidity(file: string): Promise<DatedFile | undefined> {
  const pem = await readRegularFileIfExists(file);
  const seen = pem && validityOf(derOf(pem.toString("utf8")));
  return seen && { file, notBefore: seen.notBefore, notAfter: seen.notAfter };
}

export function validityState(period: ValidityPeriod, now: Date): ValidityState {
  if (now > period.notAfter) return "expired";
  if (now < period.notBefore) return "not-yet-valid";
  return daysLeft(period, now) < expiryWarningDays ? "expiring" : "valid";
}

/** Whole days until the end; negative after it. */
export function daysLeft(period: ValidityPeriod, now: Date): number {
  return Math.floor((period.notAfter.getTime() - now.getTime()) / dayMs);
}

/** One sentence about a certificate that needs attention; undefined while all is well. `what` begins it: `The client certificate`. */
export function validityWarning(what: string, facts: DatedFile, now: Date): string | undefined {
  const days = daysLeft(facts, now);
  switch (validityState(facts, now)) {
    case "valid":
      return undefined;
    case "expiring":
      return `${what} ${facts.file} expires on ${dateOf(facts.notAfter)}, ${days === 1 ? "1 day" : `${days} days`} from now`;
    case "expired":
      return `${what} ${facts.file} expired on ${dateOf(facts.notAfter)}`;
    case "not-yet-valid":
      return `${what} ${facts.file} is valid from ${facts.notBefore.toISOString()} only: this computer's clock may be wrong`;
  }
}

function dateOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}
