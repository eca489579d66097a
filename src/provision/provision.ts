/**
 * Turns an operating system into an engine host: look, plan, install, configure. The one entry of this folder for the
 * layers above. Reports what it does; throws MachineErrors; ends with the engine listening on the host.
 */
import { MachineError } from "../errors/machine-error.ts";
import { logTo } from "../log/event.ts";
import { requireSupported } from "./families/detect-family.ts";
import { daemonJsonPath } from "./engine/daemon-json.ts";
import type { HostFacts } from "./facts/facts.ts";
import { formatPlan } from "./plan/format-plan.ts";
import { versionIn } from "./facts/parse-facts.ts";
import type { ScriptAnswer } from "./facts/script-answer.ts";
import { HostSession, noPackages, type InstalledPackages } from "./host/host-session.ts";
import { waysFor } from "./plan/installation-choice.ts";
import { planLifetime } from "./lifetime/lifetime.ts";
import { planProvision, requireNoRemoval, type Plan } from "./plan/plan.ts";
import type { ProvisionContext, ProvisionOutcome } from "./provision-context.ts";
import type { ProvisionRequest } from "./provision-request.ts";
import { tellLifetimeScript } from "./scripts/set-lifetime-script.ts";
import { lifetimePaths } from "./shell/own-files.ts";
import {
  nothingToRestore,
  ownRecords,
  planRestore,
  restoreScript,
  withdrawScript,
  type RestorePlan,
} from "./scripts/restore-script.ts";

/** What {@link provisionHost} would do; changes nothing. For `create --dry-run`. */
export async function planHost(request: ProvisionRequest, context: ProvisionContext): Promise<Plan> {
  return (await HostSession.open(request, context, false)).plan();
}

/** Idempotent: a host that is as wanted is not touched, and one that was left half way is gone on with. */
export async function provisionHost(request: ProvisionRequest, context: ProvisionContext): Promise<ProvisionOutcome> {
  const session = await HostSession.open(request, context, true);
  if (context.renewHostKeys !== undefined) await session.renewHostKeys(context.renewHostKeys);
  let plan = await session.plan();
  let packages = noPackages;
  if (plan.installations.length > 0) requireNoRemoval(plan);
  await context.beforeChanges?.();
  if (plan.installations.length > 0) {
    packages = await session.install(plan);
    plan = planProvision(session.facts, session.family, request);
    logTo(context.report, "debug", formatPlan(plan));
  }
  return outcomeOf(session, plan, await session.configure(plan), packages);
}

function outcomeOf(
  { facts }: HostSession,
  plan: Plan,
  { changed, facts: told }: ScriptAnswer,
  packages: InstalledPackages,
): ProvisionOutcome {
  return {
    facts: { ...facts, restartOwed: false },
    plan,
    engineVersion: told.last("server-version") ?? versionIn(told.last("engine-version")) ?? "",
    changedFiles: changed,
    installedPackages: packages.installed,
    removedPackages: packages.gone,
  };
}

/**
 * Gives a host new certificates and nothing else: the request's are put in place and the engine is restarted, its
 * containers kept alive where it allows that; where not, a warning says so before they stop.
 */
export async function replaceServerCertificate(request: ProvisionRequest, context: ProvisionContext): Promise<ProvisionOutcome> {
  const session = await HostSession.open(request, context, true);
  const full = await session.plan();
  if (full.installations.length > 0) throw noEngine(request.machineName);
  const files = full.files.filter((file) => file.path.endsWith(".pem"));
  const plan = partOf(full, { files, restart: true });
  if (plan.survival.kind === "stopped") {
    logTo(
      context.report,
      "warn",
      `${plan.containers.length} containers on ${request.machineName} stop and start again: ${plan.survival.why}`,
    );
  }
  return outcomeOf(session, plan, await session.configure(plan), noPackages);
}

/** Of what a plan would change on a host, what is named. */
function partOf(full: Plan, part: Partial<Plan>): Plan {
  return {
    ...full,
    removals: [],
    firewall: [],
    swarm: [],
    lifetime: undefined,
    loginKey: undefined,
    hostName: undefined,
    ...part,
  };
}

function noEngine(label: string): MachineError {
  return new MachineError("engine-start", `No engine is installed on ${label}`, {
    hint: `"docker-machine provision ${label}" installs one.`,
  });
}

const tellingSkewSeconds = 60;

/** Gives a host the request's time to live, or takes it away; nothing else is touched, the engine least of all. */
export async function provisionLifetime(request: ProvisionRequest, context: ProvisionContext): Promise<void> {
  const session = await HostSession.open(request, context, true);
  const skewSeconds = Math.round(session.facts.clockSkewMs / 1000);
  if (request.lifetime?.deadline !== undefined && Math.abs(skewSeconds) > tellingSkewSeconds) {
    const direction = skewSeconds > 0 ? "ahead of" : "behind";
    const what = `The clock of ${request.machineName} is ${Math.abs(skewSeconds)} s ${direction} this computer's`;
    logTo(context.report, "warn", `${what}: its time is over by its own clock`);
  }
  await session.setLifetime(planLifetime(session.facts, request));
}

/**
 * Makes a host fit for swarm mode: its ports are opened in the host's firewalls, and live-restore goes off, for which the
 * engine is restarted with its containers. Nothing else is changed.
 */
export async function provisionSwarmMode(request: ProvisionRequest, context: ProvisionContext): Promise<void> {
  const session = await HostSession.open(request, context, true);
  const full = planProvision(session.facts, session.family, request);
  const files = full.files.filter((file) => file.path === daemonJsonPath && file.change !== "same");
  if (files.length === 0 && full.firewall.length === 0) return;
  for (const warning of files.length > 0 ? full.warnings : []) logTo(context.report, "warn", warning);
  const plan = partOf(full, { files, firewall: full.firewall, setClock: false, restart: files.length > 0 });
  logTo(context.report, "debug", formatPlan(plan));
  await session.configure(plan);
}

/** What a host says of its time. */
export interface LifetimeReport {
  /** Undefined = it looks at no use, or has not yet. */
  readonly idleSince?: Date | undefined;
  /** What used it at the last look; "" = nothing. */
  readonly busy: string;
  /** Seconds until it is powered off, once it has warned. */
  readonly offInSeconds?: number | undefined;
}

/** Undefined where the host has no such time. */
export async function readLifetime(request: ProvisionRequest, context: ProvisionContext): Promise<LifetimeReport | undefined> {
  const session = await HostSession.open(request, context, false);
  if (!session.facts.ownFiles.has(lifetimePaths.script)) return undefined;
  const { facts } = await session.shell.runAsRoot(tellLifetimeScript(session.bounds.queryMs), {
    timeoutMs: session.bounds.probeMs,
  });
  const told = new Map(facts.all("lifetime").map((line) => [line.split("=")[0], line.replace(/^[^=]*=/u, "")]));
  const [since, off] = [told.get("since"), told.get("off")];
  return {
    idleSince: since === undefined ? undefined : new Date(Number(since) * 1000),
    busy: told.get("busy") ?? "",
    offInSeconds: off === undefined ? undefined : Number(off),
  };
}

/** Brings the engine to the newest version its source offers, or to the one asked for; containers are kept as in {@link provisionHost}. */
export async function upgradeEngine(request: ProvisionRequest, context: ProvisionContext): Promise<ProvisionOutcome> {
  const session = await HostSession.open(request, context, true);
  requireSupported(session.facts, request.machineName);
  const before = planProvision(session.facts, session.family, request);
  const ways = waysFor(session.facts, session.family, {
    ...request,
    engine: { ...request.engine, source: sourceOf(session.facts, request) },
  });
  const packages = await session.install({ ...before, installations: ways }, true);
  const plan = planProvision(session.facts, session.family, request);
  return outcomeOf(session, plan, await session.configure(plan), packages);
}

/** An engine is upgraded from where it came. */
function sourceOf({ engine }: HostFacts, request: ProvisionRequest): ProvisionRequest["engine"]["source"] {
  if (engine.dockerdPath === undefined && engine.dockerPath === undefined) return request.engine.source;
  if (engine.ownerUnknown === true) throw unknownOwner(engine.dockerdPath ?? engine.dockerPath ?? "", request.machineName);
  if (engine.ownerPackage === undefined) return "static";
  return engine.ownerPackage.startsWith("docker-ce") ? "docker" : "distro";
}

/** Binaries in the place of a package's files would be that package's trouble at its next upgrade. */
function unknownOwner(program: string, machineName: string): MachineError {
  return new MachineError(
    "package-manager",
    `The package manager of ${machineName} cannot tell which package ${program} belongs to`,
    {
      hint: "Nothing was changed. Find out what is wrong with it (another process at work, a damaged database), then run the command again.",
    },
  );
}

export interface RestoreOutcome {
  readonly plan: RestorePlan;
  readonly changedFiles: readonly string[];
}

/**
 * For `rm --restore`: takes an adopted host back to what it was before its first provisioning. What someone else has
 * changed since is left and named; images and volumes are never deleted. Throws `machine-state` when nothing is recorded.
 */
export async function restoreHost(request: ProvisionRequest, context: ProvisionContext): Promise<RestoreOutcome> {
  const session = await HostSession.open(request, context, true);
  const { record } = session.facts;
  if (record === undefined) {
    throw new MachineError("machine-state", `Nothing is recorded on ${request.machineName} that could be undone`, {
      hint: `Remove the machine without --restore; the host was not adopted by this program, or was restored already.`,
    });
  }
  const { owners, isUnnamedRecordOurs } = session.ownership();
  const own = ownRecords(record, owners, isUnnamedRecordOurs);
  if (!own.isNewest) return await withdraw(session, own.below);
  const plan = planRestore(session.facts, record);
  const { containers } = session.facts.engine;
  if (plan.engine !== "restarts" && containers.length > 0) {
    logTo(context.report, "warn", `${containers.length} running containers on ${request.machineName} stop with the engine`);
  }
  const script = restoreScript(plan, session.facts, session.family, request.machineName, session.bounds, own.below);
  const answer = await session.shell.runAsRoot(script, { timeoutMs: session.bounds.installMs });
  if (record.below.length > own.below.length) {
    logTo(context.report, "info", `${request.machineName} is as the owner before set it up`);
  }
  return { plan, changedFiles: answer.changed };
}

/** Another owner has set the host up since, and what they found is ours: it is left to them, with the way back. */
async function withdraw(session: HostSession, below: readonly number[]): Promise<RestoreOutcome> {
  const { machineName } = session.request;
  if (below.length === 0) {
    throw new MachineError("machine-state", `What is recorded on ${machineName} is another owner's, and theirs to undo`, {
      hint: "Remove the machine without --restore.",
    });
  }
  const script = withdrawScript(below, machineName, session.bounds);
  await session.shell.runAsRoot(script, { timeoutMs: session.bounds.configureMs });
  logTo(
    session.context.report,
    "warn",
    `Another owner has set up the engine on ${machineName} since: nothing was undone, and their rm --restore now takes it back to what you found`,
  );
  return { plan: nothingToRestore, changedFiles: [] };
}
