/**
 * Turns an operating system into an engine host: look, plan, install, configure. The one entry of this folder for the
 * layers above. Reports what it does; throws MachineErrors; ends with the engine listening on the host.
 */
import { MachineError } from "../errors/machine-error.ts";
import { logTo } from "../log/event.ts";
import { configureScript } from "./configure-script.ts";
import { detectFamily, requireSupported } from "./detect.ts";
import type { EngineFacts, HostFacts } from "./facts.ts";
import type { Family } from "./families/family.ts";
import { formatPlan } from "./format-plan.ts";
import { HostShell, type ScriptAnswer } from "./host-shell.ts";
import { installScript, prepareScript, upgradeScript, type InstallParameters } from "./install-script.ts";
import type { Installation } from "./install/installation.ts";
import { waysFor } from "./install/choice.ts";
import { requireKeys } from "./openpgp.ts";
import { engineFrom } from "./parse-facts.ts";
import { planProvision, type Plan } from "./plan.ts";
import { probeHost } from "./probe.ts";
import {
  defaultBounds,
  type ProvisionBounds,
  type ProvisionContext,
  type ProvisionOutcome,
  type ProvisionRequest,
} from "./provisioner.ts";
import { planRestore, recoverScript, restoreScript, type RestorePlan } from "./restore-script.ts";

/** A host that was looked at: the start of every use case here. */
export class HostSession {
  readonly shell: HostShell;
  readonly request: ProvisionRequest;
  readonly context: ProvisionContext;
  readonly bounds: ProvisionBounds;
  readonly family: Family;
  facts: HostFacts;

  private constructor(shell: HostShell, request: ProvisionRequest, context: ProvisionContext, facts: HostFacts) {
    this.shell = shell;
    this.request = request;
    this.context = context;
    this.bounds = { ...defaultBounds, ...context.bounds };
    this.facts = facts;
    this.family = detectFamily(facts);
  }

  /** Looks, and undoes what an earlier run left half done. */
  static async open(request: ProvisionRequest, context: ProvisionContext, undo: boolean): Promise<HostSession> {
    const bounds = { ...defaultBounds, ...context.bounds };
    const shell = new HostShell(request.machineName, context);
    context.report({ type: "detecting-provisioner" });
    let facts = await probeHost(shell, request, context, bounds.probeMs);
    if (facts.interrupted && undo) {
      logTo(context.report, "info", `Undoing what an interrupted run left on ${request.machineName}...`);
      await shell.runAsRoot(recoverScript(request.machineName), { timeoutMs: bounds.configureMs });
      facts = await probeHost(shell, request, context, bounds.probeMs);
    }
    const session = new HostSession(shell, request, context, facts);
    context.report({ type: "provisioning", provisioner: facts.os.id || session.family.name });
    return session;
  }

  plan(): Plan {
    requireSupported(this.facts, this.request.machineName);
    const plan = planProvision(this.facts, this.family, this.request);
    logTo(this.context.report, "debug", formatPlan(plan));
    for (const warning of plan.warnings) logTo(this.context.report, "warn", warning);
    return plan;
  }

  /** The engine's facts after an installation; whether it was fresh is remembered from the first look. */
  learn(answer: ScriptAnswer): EngineFacts {
    const engine = { ...engineFrom(answer.facts), fresh: this.facts.engine.fresh };
    this.facts = { ...this.facts, engine, restartOwed: true };
    return engine;
  }

  async configure(plan: Plan): Promise<ScriptAnswer> {
    return this.shell.runAsRoot(configureScript(plan, this.facts, this.request.engine.port, this.bounds, this.#epochSeconds()), {
      timeoutMs: this.bounds.configureMs,
      onPhase: (phase) => this.#report(phase),
    });
  }

  /** Tries the ways to an engine in order; only an unreachable source leads to the next. */
  async install(plan: Plan, upgrade = false): Promise<readonly string[]> {
    const ways = plan.installations;
    const installed: string[] = [];
    for (const [index, way] of ways.entries()) {
      const key = await this.#prepare(plan, way, ways[index + 1], installed);
      if (key === undefined) continue;
      this.context.report({ type: "installing-engine", source: way.source, version: this.request.engine.version });
      const script = (upgrade ? upgradeScript : installScript)(plan, way, key, this.#parameters());
      const answer = await this.shell.runAsRoot(script, { timeoutMs: this.bounds.installMs });
      this.learn(answer);
      return [...installed, ...answer.facts.all("installed")];
    }
    return installed;
  }

  /** The verified key, "" where none is needed, undefined where the next way is to be tried. */
  async #prepare(
    plan: Plan,
    way: Installation,
    next: Installation | undefined,
    installed: string[],
  ): Promise<string | undefined> {
    const script = prepareScript(plan, way, this.#parameters());
    if (script === undefined) return "";
    const { facts } = await this.shell.runAsRoot(script, { timeoutMs: this.bounds.installMs });
    installed.push(...facts.all("installed"));
    const reason = facts.last("unreachable");
    if (reason === undefined && way.repository !== undefined) {
      requireKeys(facts.text("key"), way.repository.fingerprints, way.repository.keyUrl);
      return facts.text("key");
    }
    if (next === undefined) throw unreachable(way, this.request.machineName, reason ?? "");
    logTo(
      this.context.report,
      "info",
      `${way.repository?.indexUrl ?? way.title} cannot be reached from ${this.request.machineName}; taking ${next.title}`,
    );
    return undefined;
  }

  #parameters(): InstallParameters {
    return {
      env: this.request.engine.env,
      bounds: this.bounds,
      epochSeconds: this.#epochSeconds(),
      daemonJson: this.facts.engine.daemonJson,
    };
  }

  #epochSeconds(): number {
    return Math.round(this.context.clock.now().getTime() / 1000);
  }

  #report(phase: string): void {
    const { report } = this.context;
    const [name, detail = ""] = phase.split(" ");
    if (name === "copying-certificates" || name === "configuring-engine" || name === "configuring-swarm") report({ type: name });
    else if (name === "opening-firewall") report({ type: name, firewall: detail, port: this.request.engine.port });
  }
}

function unreachable(way: Installation, label: string, reason: string): MachineError {
  return new MachineError(
    "download-failed",
    `${way.repository?.indexUrl ?? way.title} cannot be reached from ${label}: ${reason}`,
    {
      hint: "Check the machine's network, DNS and proxy, name a mirror with --engine-package-mirror, or take the distribution's package with --engine-source distro.",
    },
  );
}

/** What {@link provisionHost} would do; changes nothing. For `create --dry-run`. */
export async function planHost(request: ProvisionRequest, context: ProvisionContext): Promise<Plan> {
  return (await HostSession.open(request, context, false)).plan();
}

/** Idempotent: a host that is as wanted is not touched, and one that was left half way is gone on with. */
export async function provisionHost(request: ProvisionRequest, context: ProvisionContext): Promise<ProvisionOutcome> {
  const session = await HostSession.open(request, context, true);
  let plan = session.plan();
  let installedPackages: readonly string[] = [];
  if (plan.installations.length > 0) {
    installedPackages = await session.install(plan);
    plan = planProvision(session.facts, session.family, request);
    logTo(context.report, "debug", formatPlan(plan));
  }
  return outcomeOf(session, plan, await session.configure(plan), installedPackages);
}

export function outcomeOf(
  session: HostSession,
  plan: Plan,
  answer: ScriptAnswer,
  installedPackages: readonly string[],
): ProvisionOutcome {
  const engine = session.learn(answer);
  return {
    facts: { ...session.facts, restartOwed: false },
    plan,
    engineVersion: engine.answer?.serverVersion ?? engine.version ?? "",
    changedFiles: answer.changed,
    installedPackages,
  };
}

/**
 * Gives a host new certificates and nothing else: the request's are put in place and the engine is restarted, its
 * containers kept alive where it allows that; where not, a warning says so before they stop.
 */
export async function replaceServerCertificate(request: ProvisionRequest, context: ProvisionContext): Promise<ProvisionOutcome> {
  const session = await HostSession.open(request, context, true);
  const full = session.plan();
  if (full.installations.length > 0) throw noEngine(request.machineName);
  const files = full.files.filter((file) => file.path.endsWith(".pem"));
  const plan: Plan = { ...full, files, removals: [], firewall: [], swarm: [], hostName: undefined, restart: true };
  if (plan.survival.kind === "stopped") {
    logTo(
      context.report,
      "warn",
      `${plan.containers.length} containers on ${request.machineName} stop and start again: ${plan.survival.why}`,
    );
  }
  return outcomeOf(session, plan, await session.configure(plan), []);
}

function noEngine(label: string): MachineError {
  return new MachineError("engine-start", `No engine is installed on ${label}`, {
    hint: `"docker-machine provision ${label}" installs one.`,
  });
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
  const installedPackages = await session.install({ ...before, installations: ways }, true);
  const plan = planProvision(session.facts, session.family, request);
  return outcomeOf(session, plan, await session.configure(plan), installedPackages);
}

/** An engine is upgraded from where it came. */
function sourceOf({ engine }: HostFacts, request: ProvisionRequest): ProvisionRequest["engine"]["source"] {
  if (engine.dockerdPath === undefined && engine.dockerPath === undefined) return request.engine.source;
  if (engine.ownerPackage === undefined) return "static";
  return engine.ownerPackage.startsWith("docker-ce") ? "docker" : "distro";
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
  const plan = planRestore(session.facts, record);
  const script = restoreScript(plan, session.facts, session.family, request.machineName, session.bounds);
  const answer = await session.shell.runAsRoot(script, { timeoutMs: session.bounds.installMs });
  return { plan, changedFiles: answer.changed };
}
