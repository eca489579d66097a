/**
 * What a doctor's check is: data. Each looks at one thing (`probe`), says what is wrong with it (`judge`) and what helps
 * (`advice`); what it `needs` comes first, and where that is not well it is skipped. Knows no terminal.
 */
import type { Subject } from "./subject.ts";

/** From this computer outwards, then up on the machine: the order in which checks are told. */
export const layers = ["computer", "record", "provider", "network", "ssh", "host", "engine", "connection", "use"] as const;
export type Layer = (typeof layers)[number];

export interface Complaint {
  /** `warn`: work goes on, for now. */
  readonly state: "warn" | "fail";
  /** What was seen, in the words of who said it. */
  readonly evidence: string;
  /** Why that is so, as far as it is known; one clause. */
  readonly cause: string;
  /** For {@link Check.advice}: which of several ways out it is. */
  readonly kind?: string | undefined;
  /** For the same: what the way out has to name, as a folder or a machine. */
  readonly about?: string | undefined;
}

/** What `--fix` does about a complaint. */
export interface Repair {
  /** One clause, printed before it is done: `make /x/key readable by its owner alone`. */
  readonly what: string;
  run(signal: AbortSignal): Promise<void>;
}

export interface Check<Evidence> {
  readonly id: string;
  readonly layer: Layer;
  readonly title: string;
  /** Ids of checks that must be well first. */
  readonly needs: readonly string[];
  /** Of this computer, or of each machine. */
  readonly of: "computer" | "machine";
  /** Undefined = there is nothing to look at, as with a machine that has no engine of ours. */
  probe(subject: Subject): Promise<Evidence | undefined>;
  judge(evidence: Evidence, subject: Subject): Complaint | undefined;
  /** A command or a sentence. */
  advice(complaint: Complaint, subject: Subject): string;
  /** Undefined where nothing is done without the user. */
  repair?(complaint: Complaint, subject: Subject, evidence: Evidence): Repair | undefined;
}

/** A check of any evidence, for a table of them. */
export interface AnyCheck extends Omit<Check<unknown>, "probe" | "judge" | "repair"> {
  examine(subject: Subject): Promise<Examined | undefined>;
}

export interface Examined {
  readonly complaint: Complaint | undefined;
  readonly repair: Repair | undefined;
}

export function check<Evidence>(given: Check<Evidence>): AnyCheck {
  const { id, layer, title, needs, of } = given;
  return {
    id,
    layer,
    title,
    needs,
    of,
    advice: (complaint, subject) => given.advice(complaint, subject),
    examine: async (subject) => {
      const evidence = await given.probe(subject);
      if (evidence === undefined) return undefined;
      const complaint = given.judge(evidence, subject);
      return { complaint, repair: complaint && given.repair?.(complaint, subject, evidence) };
    },
  };
}

export function fail(evidence: string, cause: string, kind?: string, about?: string): Complaint {
  return { state: "fail", evidence: evidenceText(evidence), cause, kind, about };
}

export function warn(evidence: string, cause: string, kind?: string, about?: string): Complaint {
  return { state: "warn", evidence: evidenceText(evidence), cause, kind, about };
}

const longestEvidence = 400;

/** One line, without the credentials that proxies and registries may have in their URLs. */
function evidenceText(text: string): string {
  const line = text
    .replaceAll(/\s+/gu, " ")
    .replaceAll(/\/\/[^/@\s]+@/gu, "//[redacted]@")
    .trim();
  return line.length <= longestEvidence ? line : `${line.slice(0, longestEvidence)}…`;
}
