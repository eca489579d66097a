/**
 * An operating system family: which systems belong to it and how an engine gets onto them. One folder and one line in
 * the registry each; `docs/adding-a-family.md` tells how to write one.
 */
import type { EngineLayout } from "../engine/engine-files.ts";
import type { HostFacts, OsFacts } from "../facts/facts.ts";
import type { Installation } from "../install/installation.ts";
import type { PackageManager } from "../install/package-manager.ts";
import type { EngineRequest, EngineSource } from "../provision-request.ts";
import type { EngineService } from "../engine/engine-service.ts";

export interface Family {
  /** The registry's key and the folder. */
  readonly name: string;
  /** os-release IDs of its members, and words of ID_LIKE that make a derivative. */
  readonly ids: readonly string[];
  /** For members that no ID names. */
  accepts?(os: OsFacts, facts: HostFacts): boolean;
  readonly manager?: ((facts: HostFacts) => PackageManager) | undefined;
  /** What `--engine-source auto` tries, in this order. Empty = the engine is part of the system. */
  readonly automatic: readonly Exclude<EngineSource, "auto">[];
  /** The way of one source; undefined = there is none here. Called for hosts without an engine only. */
  installation(source: Exclude<EngineSource, "auto">, facts: HostFacts, engine: EngineRequest): Installation | undefined;
  /** Where its engine reads its settings, if not where the init system has it. */
  readonly layout?: EngineLayout | undefined;
  readonly service?: EngineService | undefined;
}
