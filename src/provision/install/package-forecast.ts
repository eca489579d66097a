/**
 * What an installation would do to the packages that are on a host, as its package manager foretells it. Looked at
 * before anything changes on a host that is someone's own. Pure.
 */
import { MachineError } from "../../errors/machine-error.ts";
import type { RawFacts } from "../facts/parse-facts.ts";
import type { EngineSource } from "../provision-request.ts";
import { explanationIn } from "./manager-words.ts";

export interface PackageVersion {
  readonly name: string;
  /** "" where the manager does not tell it. */
  readonly version: string;
}

export interface PackageForecast {
  readonly removed: readonly PackageVersion[];
  readonly replaced: readonly { readonly name: string; readonly from: string; readonly to: string }[];
  /** Pinned by the host's owner, and in the way. */
  readonly held: readonly string[];
}

/** Of one way to an engine. */
export type WayForecast =
  | ({
      readonly kind: "told";
      /** The words it was asked about: what will be installed. */
      readonly words: readonly string[];
      /** Of what it was foretold, as the manager's `pkg_state` names that; "" = not told. */
      readonly state: string;
    } & PackageForecast)
  | { readonly kind: "unreachable"; readonly reason: string }
  | { readonly kind: "unknown"; readonly reason: string };

export type Forecasts = ReadonlyMap<EngineSource, WayForecast>;

/**
 * Reads the facts `forecast:SOURCE`: lines of `pkg_preview`, and at the end `told`, `unreachable WHY` or `unknown WHY`;
 * with `told`, `words WORD…` and `state WORD`;
 * and `forecast-words:SOURCE`, what the manager said when it could not tell.
 */
export function forecastFrom(facts: RawFacts, source: EngineSource): WayForecast {
  const lines = facts.all(`forecast:${source}`).map((line) => line.split(" "));
  const verdict = lines.find(([verb]) => verb === "unreachable" || verb === "unknown");
  if (verdict !== undefined) {
    const words = explanationIn(facts.all(`forecast-words:${source}`)).text.replaceAll("\n", "; ");
    return { kind: verdict[0] as "unreachable" | "unknown", reason: words || verdict.slice(1).join(" ").trim() };
  }
  if (!lines.some(([verb]) => verb === "told")) return { kind: "unknown", reason: "" };
  const of = (wanted: string): readonly (readonly string[])[] =>
    lines.filter(([verb]) => verb === wanted).map((words) => words.slice(1));
  return {
    kind: "told",
    words: of("words").flat(),
    state: of("state").flat().join(" "),
    removed: of("remove").map(([name = "", version]) => ({ name, version: told(version) })),
    replaced: of("replace").map(([name = "", from, to]) => ({ name, from: told(from), to: told(to) })),
    held: of("held").map(([name = ""]) => name),
  };
}

function told(version: string | undefined): string {
  return version === undefined || version === "-" ? "" : version;
}

export function named({ name, version }: PackageVersion): string {
  return version === "" ? name : `${name} ${version}`;
}

/**
 * Throws `package-removal` where packages would go that their owner did not give away, and where the manager would
 * refuse because packages are held. `harmless` are ways that take nothing away.
 */
export function refuseRemoval(
  forecast: PackageForecast,
  context: {
    readonly label: string;
    readonly mayRemove: boolean;
    readonly harmless: readonly EngineSource[];
    readonly unhold: string;
  },
): void {
  const { label, mayRemove, harmless, unhold } = context;
  if (forecast.held.length > 0) {
    throw new MachineError(
      "package-removal",
      `${forecast.held.join(", ")} on ${label} is held at its version by its owner, and installing the engine would change it`,
      { hint: `Release it on the machine (${unhold}), or choose another source with --engine-source.` },
    );
  }
  if (forecast.removed.length === 0 || mayRemove) return;
  throw new MachineError("package-removal", removalSentence(label, forecast.removed.map(named).join(", ")), {
    hint: `${harmless.map((source) => `--engine-source ${source} takes nothing away. `).join("")}${removalHint}`,
  });
}

function removalSentence(label: string, packages: string): string {
  return `Installing the engine would remove packages that are on ${label}: ${packages}`;
}

export const removalHint =
  "Nothing was installed. If they may go, create the machine with --engine-allow-removal: rm --restore brings them back.";
