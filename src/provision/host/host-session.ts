/** One host during one use case: looked at, then planned for, then changed by scripts. The use cases are in provision.ts. */
import { isMachineError, MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import type { LifetimePlan } from "../lifetime/lifetime.ts";
import { changingPrelude, configureScript } from "../scripts/configure-script.ts";
import { setLifetimeScript } from "../scripts/set-lifetime-script.ts";
import { joinLines, sh } from "../shell/shell-text.ts";
import { layoutFor } from "../engine/engine-files.ts";
import { authoritiesOfOthers, ownerIdsOf } from "../engine/owners.ts";
import { detectFamily, requireSupported } from "../families/detect-family.ts";
import type { HostFacts } from "../facts/facts.ts";
import type { Family } from "../families/family.ts";
import { formatPlan } from "../plan/format-plan.ts";
import { HostShell } from "./host-shell.ts";
import type { ScriptAnswer } from "../facts/script-answer.ts";
import { installScript, prepareScript, upgradeScript, type InstallParameters } from "../scripts/install-script.ts";
import type { Installation } from "../install/installation.ts";
import { requireKeys } from "../install/openpgp.ts";
import { forecastFrom, type Forecasts } from "../install/package-forecast.ts";
import { engineFrom, RawFacts } from "../facts/parse-facts.ts";
import { forecastScript } from "../scripts/forecast-script.ts";
import { planProvision, type Plan } from "../plan/plan.ts";
import { probeHost } from "./probe-host.ts";
import { defaultBounds, type HostKeyRenewal, type ProvisionBounds, type ProvisionContext } from "../provision-context.ts";
import type { ProvisionRequest } from "../provision-request.ts";
import { awaitRunScript } from "../scripts/await-run-script.ts";
import { awaitFirstBootScript } from "../scripts/first-boot-script.ts";
import { newHostKeysScript, useHostKeysScript } from "../scripts/host-keys-script.ts";
import { editedPath } from "../shell/own-files.ts";
import { formatBound } from "../../system/time-text.ts";
import { recoverScript } from "../scripts/restore-script.ts";

export interface InstalledPackages {
  readonly installed: readonly string[];
  /** Those that went because of that, `NAME VERSION`. */
  readonly gone: readonly string[];
}

export const noPackages: InstalledPackages = { installed: [], gone: [] };

/** A host that was looked at: the start of every use case here. */
export class HostSession {
  readonly shell: HostShell;
  readonly request: ProvisionRequest;
  readonly context: ProvisionContext;
  readonly bounds: ProvisionBounds;
  readonly family: Family;
  facts: HostFacts;
  /** The key of the package repository, as the look at the packages brought it, verified; "" = not asked for. */
  #keyText = "";

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
    let facts = await probeHost(shell, request, context, bounds);
    if (facts.runAtWork && undo) {
      const script = awaitRunScript(request.machineName, Math.ceil(bounds.packageLockMs / 1000));
      await shell.runAsRoot(script, { timeoutMs: bounds.packageLockMs + bounds.queryMs });
      facts = await probeHost(shell, request, context, bounds);
    }
    if (facts.interrupted && undo) {
      logTo(context.report, "info", `Undoing what an interrupted run left on ${request.machineName}...`);
      await shell.runAsRoot(recoverScript(request.machineName), { timeoutMs: bounds.configureMs });
      facts = await probeHost(shell, request, context, bounds);
    }
    if (undo && !request.adopted) facts = await pastFirstBoot(shell, request, context, facts);
    const session = new HostSession(shell, request, context, facts);
    context.report({ type: "provisioning", provisioner: facts.os.id || session.family.name });
    return session;
  }

  /** Gives the host keys of its own, in two steps between which the caller comes to believe them. */
  async renewHostKeys(renewal: HostKeyRenewal): Promise<void> {
    const bound = { timeoutMs: this.bounds.configureMs };
    const { facts } = await this.shell.runAsRoot(newHostKeysScript(), bound);
    await renewal.made(facts.all("host-key"));
    await this.shell.runAsRoot(useHostKeysScript(), bound);
    await renewal.inUse();
  }

  async plan(): Promise<Plan> {
    requireSupported(this.facts, this.request.machineName);
    const outline = planProvision(this.facts, this.family, this.request);
    const forecasts = await this.#foresee(outline);
    const plan = forecasts === undefined ? outline : planProvision(this.facts, this.family, this.request, forecasts);
    logTo(this.context.report, "debug", formatPlan(plan));
    for (const warning of plan.warnings) logTo(this.context.report, "warn", warning);
    for (const path of plan.edited) {
      const what = `${path} on ${this.request.machineName} was edited by hand since and is replaced`;
      logTo(this.context.report, "warn", `${what}; the edited text is kept as ${editedPath(path)}`);
    }
    return plan;
  }

  /** Under which names this owner's changes are recorded, and whether a record without a name is theirs. */
  ownership(): { readonly owners: readonly string[]; readonly isUnnamedRecordOurs: boolean } {
    const { certificateFolder } = this.family.layout ?? layoutFor(this.facts.init);
    return {
      owners: ownerIdsOf(this.request),
      isUnnamedRecordOurs: authoritiesOfOthers(this.facts, this.request, certificateFolder).length === 0,
    };
  }

  /** One more look where packages come to a host that is someone's own. */
  async #foresee(plan: Plan): Promise<Forecasts | undefined> {
    const ways = plan.installations.filter((way) => way.rehearse !== undefined);
    if (!this.request.adopted || ways.length === 0) return undefined;
    const script = forecastScript(ways, this.request.machineName, this.request.engine.env, this.bounds);
    let facts: RawFacts;
    try {
      ({ facts } = await this.shell.runAsRoot(script, { timeoutMs: this.bounds.forecastMs }));
    } catch (error) {
      // The installation asks once more before it changes anything.
      if (!isMachineError(error, "timeout")) throw error;
      facts = new RawFacts();
    }
    this.#keyText = facts.text("key");
    for (const { repository } of ways) {
      if (repository !== undefined && this.#keyText !== "")
        requireKeys(this.#keyText, repository.fingerprints, repository.keyUrl);
    }
    return new Map(ways.map(({ source }) => [source, forecastFrom(facts, source)]));
  }

  /** The engine's facts after an installation; whether it was fresh is remembered from the first look. */
  #learn(answer: ScriptAnswer): void {
    const engine = { ...engineFrom(answer.facts), fresh: this.facts.engine.fresh };
    this.facts = { ...this.facts, engine, restartOwed: true };
  }

  async configure(plan: Plan): Promise<ScriptAnswer> {
    return this.shell.runAsRoot(configureScript(plan, this.facts, this.request.engine.port, this.bounds, this.#epochSeconds()), {
      timeoutMs: this.bounds.configureMs,
      onPhase: (phase) => this.#report(phase),
    });
  }

  async setLifetime(lifetime: LifetimePlan | undefined): Promise<void> {
    const { machineName, adopted: record } = this.request;
    const changes = { machineName, record, mayRemove: false, ...this.ownership() };
    const script = joinLines(
      changingPrelude(changes, this.bounds),
      sh`on_failure() { undo_run; }`,
      setLifetimeScript(lifetime),
      sh`finish_run
end`,
    );
    await this.shell.runAsRoot(script, { timeoutMs: this.bounds.configureMs });
  }

  /** Tries the ways to an engine in order; only an unreachable source leads to the next. */
  async install(plan: Plan, upgrade = false): Promise<InstalledPackages> {
    const ways = plan.installations;
    const installed: string[] = [];
    for (const [index, way] of ways.entries()) {
      const key = await this.#prepare(plan, way, ways[index + 1], installed);
      if (key === undefined) continue;
      this.context.report({ type: "installing-engine", source: way.source, version: this.request.engine.version });
      const script = (upgrade ? upgradeScript : installScript)(plan, way, key, this.#parameters());
      const answer = await this.shell.runAsRoot(script, { timeoutMs: this.bounds.installMs });
      this.#learn(answer);
      const gone = answer.facts.all("gone");
      if (gone.length > 0) {
        logTo(
          this.context.report,
          "warn",
          `Removed from ${this.request.machineName} to make room for the engine: ${gone.join(", ")}`,
        );
      }
      return { installed: [...installed, ...answer.facts.all("installed")], gone };
    }
    return { ...noPackages, installed };
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
    const foreseen = plan.forecasts.get(way.source);
    if (foreseen?.kind !== "unreachable" && this.#keyText !== "") return this.#keyText;
    let reason = foreseen?.kind === "unreachable" ? foreseen.reason : undefined;
    if (reason === undefined) {
      const { facts } = await this.shell.runAsRoot(script, { timeoutMs: this.bounds.installMs });
      installed.push(...facts.all("installed"));
      reason = facts.last("unreachable");
      if (reason === undefined && way.repository !== undefined) {
        requireKeys(facts.text("key"), way.repository.fingerprints, way.repository.keyUrl);
        return facts.text("key");
      }
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
      allowDowngrade: this.request.engine.allowDowngrade === true,
      daemonJson: this.facts.engine.daemonJson,
    };
  }

  #epochSeconds(): number {
    return Math.round(this.context.clock.now().getTime() / 1000);
  }

  #report(phase: string): void {
    const { report } = this.context;
    const [name, detail = "", port = ""] = phase.split(" ");
    if (name === "copying-certificates" || name === "configuring-engine" || name === "configuring-swarm") report({ type: name });
    else if (name === "opening-firewall") report({ type: name, firewall: detail, port: Number(port) });
  }
}

/** What cloud-init does at a first boot, package managers and files included, is over before anything is planned. */
async function pastFirstBoot(
  shell: HostShell,
  request: ProvisionRequest,
  context: ProvisionContext,
  facts: HostFacts,
): Promise<HostFacts> {
  const bounds = { ...defaultBounds, ...context.bounds };
  if (facts.firstBoot?.state !== "running") {
    complainOfFirstBoot(request, context, facts.firstBoot?.errors ?? []);
    return facts;
  }
  const answer = await shell.runAsRoot(awaitFirstBootScript(bounds.firstBootMs), {
    timeoutMs: bounds.firstBootMs + bounds.probeMs,
  });
  const status = answer.facts.last("first-boot-status");
  // busybox's timeout ends what it bounds by a signal, and says so.
  if (status === "124" || status === "143") throw stillBooting(request.machineName, bounds, answer.facts);
  const now = await probeHost(shell, request, context, bounds);
  const failed = status === "1";
  const errors = now.firstBoot?.errors ?? [];
  complainOfFirstBoot(request, context, failed && errors.length === 0 ? answer.facts.all("first-boot-words") : errors);
  return now;
}

/** cloud-init asks the provider's metadata server, and waits for it. */
function stillBooting(machineName: string, { firstBootMs }: ProvisionBounds, told: RawFacts): MachineError {
  const words = told.all("first-boot-words").map((line) => line.trim());
  return new MachineError(
    "timeout",
    `cloud-init on ${machineName} is still at work on its first boot after ${formatBound(firstBootMs)}: ${words.join("; ").slice(0, 500)}`,
    {
      hint: `It may wait for a metadata server that does not answer: see /var/log/cloud-init.log there (docker-machine ssh ${machineName}). Once it has ended, "docker-machine provision ${machineName}" goes on.`,
    },
  );
}

/** Throws `remote-command` where the first boot had to succeed. */
function complainOfFirstBoot({ machineName }: ProvisionRequest, context: ProvisionContext, errors: readonly string[]): void {
  if (errors.length === 0) return;
  const sentence = `cloud-init on ${machineName} reports errors: ${errors.join("; ").slice(0, 500)}`;
  if (context.firstBootMustSucceed !== true) return logTo(context.report, "warn", sentence);
  throw new MachineError("remote-command", sentence, {
    hint: `See /var/log/cloud-init-output.log there: docker-machine ssh ${machineName}. Then "docker-machine provision ${machineName}" goes on all the same.`,
  });
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
