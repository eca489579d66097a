/** What becomes of running containers when the engine below them is restarted. Pure. */
import type { EngineFacts, HostFacts } from "../facts/facts.ts";

/** What a restart of the engine means for the containers that run. */
export type Survival =
  | { readonly kind: "nothing-runs" }
  /** The engine has live-restore on. */
  | { readonly kind: "live-restore" }
  /** live-restore is switched on for the restart and off again. */
  | { readonly kind: "live-restore-for-the-restart" }
  /** They stop, and are started again. */
  | { readonly kind: "stopped"; readonly why: string };

/** live-restore came with engine 1.12, and excludes swarm mode. */
export function survivalOf({ engine }: HostFacts): Survival {
  if (engine.containers.length === 0) return { kind: "nothing-runs" };
  if (engine.answer?.liveRestore === true && staysOn(engine)) return { kind: "live-restore" };
  if (engine.answer?.swarmActive === true)
    return { kind: "stopped", why: "the engine is part of a swarm, which excludes live-restore" };
  const [major = 0, minor = 0] = (engine.answer?.serverVersion ?? engine.version ?? "").split(".").map(Number);
  if (major < 1 || (major === 1 && minor < 12))
    return { kind: "stopped", why: `engine ${engine.version ?? "of unknown version"} has no live-restore` };
  return { kind: "live-restore-for-the-restart" };
}

/** On for the next engine too: a run that was cut off may have switched it on in the memory of this one alone. */
function staysOn(engine: EngineFacts): boolean {
  const texts = [
    engine.daemonJson ?? "",
    ...engine.unitFiles.map((file) => file.text),
    ...engine.settingsFiles.map((file) => file.text),
  ];
  return texts.some((text) => /"live-restore"\s*:\s*true|--live-restore\b(?!=false)/u.test(text));
}
