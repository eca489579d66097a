/** Which family a host belongs to, and whether an engine can run on it at all. Pure. */
import { MachineError } from "../../errors/machine-error.ts";
import type { HostFacts } from "../facts/facts.ts";
import type { Family } from "./family.ts";
import { families } from "./families.ts";

/** By ID, then by ID_LIKE in its order, then by what a family itself accepts. */
export function detectFamily(facts: HostFacts): Family {
  const all: readonly Family[] = Object.values(families);
  for (const id of [facts.os.id, ...facts.os.idLike]) {
    const family = all.find((candidate) => candidate.ids.includes(id));
    if (family !== undefined) return family;
  }
  return all.find((candidate) => candidate.accepts?.(facts.os, facts)) ?? families["generic-static"];
}

const oldestKernel = [3, 10] as const;

function kernelIsTooOld(kernel: string): boolean {
  const [major = 0, minor = 0] = kernel.split(/[.-]/u).map(Number);
  return major < oldestKernel[0] || (major === oldestKernel[0] && minor < oldestKernel[1]);
}

/** What keeps an engine from running here, each as a clause; empty = nothing. */
function obstacles(facts: HostFacts): readonly string[] {
  const found: string[] = [];
  if (kernelIsTooOld(facts.kernel))
    found.push(`its kernel is ${facts.kernel} and the engine needs ${oldestKernel.join(".")} or newer`);
  if (facts.init === "none") found.push("none of systemd, OpenRC, Upstart or SysV init runs there to start the engine");
  if (facts.cgroups === "none") found.push("no control groups are mounted under /sys/fs/cgroup");
  return found;
}

/** Throws `os-unsupported` with every obstacle, unless an engine runs there already. */
export function requireSupported(facts: HostFacts, label: string): void {
  if (facts.engine.answer !== undefined) return;
  const found = obstacles(facts);
  if (found.length === 0) return;
  throw new MachineError("os-unsupported", `${label} (${facts.os.prettyName}) cannot run a Docker Engine: ${found.join("; ")}`, {
    hint: "Take a host with a current kernel and systemd or OpenRC.",
  });
}
