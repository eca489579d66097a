/** Which ways to an engine there are for a host and a request, in the order to try them. Pure. */
import { MachineError } from "../../errors/machine-error.ts";
import { isOldEngine } from "../engine/base-command.ts";
import type { HostFacts } from "../facts/facts.ts";
import type { Family } from "../families/family.ts";
import type { ProvisionRequest } from "../provision-request.ts";
import type { Installation } from "../install/installation.ts";

/** Empty when an engine is there: it is kept. Throws `os-unsupported` when there is no way. */
export function installationsFor(facts: HostFacts, family: Family, request: ProvisionRequest): readonly Installation[] {
  const { engine } = facts;
  if (engine.dockerdPath !== undefined || isOldEngine(engine.version, engine.dockerPath)) return [];
  return waysFor(facts, family, request);
}

/** The same, whether an engine is there or not. */
export function waysFor(facts: HostFacts, family: Family, request: ProvisionRequest): readonly Installation[] {
  const { source } = request.engine;
  const sources = source === "auto" ? family.automatic : [source];
  const ways = sources.flatMap((name) => family.installation(name, facts, request.engine) ?? []);
  if (ways.length === 0) throw noWay(facts, family, request);
  const passable = ways.filter((way) => !lacksManager(way, facts));
  if (passable.length === 0) throw noManager(facts, ways[0]?.manager?.program ?? "", request);
  return passable;
}

/** Static binaries need none, once the tools for their download are there. */
function lacksManager({ manager, source }: Installation, { packageManagers }: HostFacts): boolean {
  return manager !== undefined && source !== "static" && !packageManagers.includes(manager.program);
}

/** What os-release says is taken at its word everywhere else; here it cannot be true. */
function noManager({ os, packageManagers }: HostFacts, program: string, { machineName }: ProvisionRequest): MachineError {
  const others = packageManagers.length === 0 ? "no package manager" : packageManagers.join(" and ");
  return new MachineError(
    "os-unsupported",
    `${machineName} says that it is ${os.prettyName}, whose package manager is ${program}, and has ${others}`,
    {
      hint: "Put /etc/os-release right there, or take Docker's static binaries, which need no package manager: --engine-source static.",
    },
  );
}

function noWay(facts: HostFacts, family: Family, request: ProvisionRequest): MachineError {
  const { source } = request.engine;
  const others = (["docker", "distro", "script", "static"] as const).filter(
    (name) => family.installation(name, facts, request.engine) !== undefined,
  );
  const what =
    source === "auto"
      ? "no engine is installed and the system offers no package of one"
      : `there is no engine of the source "${source}" for this system`;
  return new MachineError("os-unsupported", `${request.machineName} (${facts.os.prettyName}): ${what}`, {
    hint:
      others.length === 0
        ? "Install Docker Engine there by hand, then run the command again."
        : `Choose another source: ${others.map((name) => `--engine-source ${name}`).join(", ")}.`,
  });
}

/** An engine with its packages takes some 500 MiB; what is downloaded comes on top of it. */
const roomMiB = 700;

/** Better before than in the middle of a package manager's work. */
export function requireRoom(facts: HostFacts, label: string): void {
  const tight = facts.disks.filter((disk) => ["/", "/var"].includes(disk.folder)).find((disk) => disk.freeMiB < roomMiB);
  if (tight === undefined) return;
  throw new MachineError(
    "disk-full",
    `Only ${tight.freeMiB} MiB are free on ${tight.device} (mounted on ${tight.mountPoint}) of ${label}; installing an engine takes ${roomMiB} MiB`,
    {
      hint: "Free some space there and run the command again, or install Docker Engine there by hand.",
    },
  );
}
