/** The scripts that bring an engine onto a host, or a newer one. They record which packages came with it. */
import type { Installation } from "../install/installation.ts";
import type { WayForecast } from "../install/package-forecast.ts";
import { changingPrelude, clockScript } from "./configure-script.ts";
import { engineControl } from "../engine/engine-control.ts";
import type { Plan } from "../plan/plan.ts";
import { engineProbe } from "../facts/probe-script.ts";
import type { ProvisionBounds } from "../provision-context.ts";
import { joinLines, sh, type ShellText } from "../shell/shell-text.ts";
import { statePaths } from "../shell/state-paths.ts";
import { packageRecord } from "./package-record.ts";

export interface InstallParameters {
  /** The engine's environment; its proxies serve the installation too. */
  readonly env: readonly string[];
  readonly bounds: ProvisionBounds;
  readonly epochSeconds: number;
  /** An upgrade may be to an older version. */
  readonly allowDowngrade: boolean;
  /** As it is now. */
  readonly daemonJson: string | undefined;
}

/** Looks whether the way can be gone, and fetches what must be verified here first. */
export function prepareScript(plan: Plan, way: Installation, parameters: InstallParameters): ShellText | undefined {
  if (way.prepare === undefined) return undefined;
  return joinLines(opening(plan, way, parameters), undoing, way.prepare, closing, sh`end`);
}

export function installScript(plan: Plan, way: Installation, key: string, parameters: InstallParameters): ShellText {
  return joinLines(
    opening(plan, way, parameters),
    undoing,
    sh`bring=pkg_install`,
    way.install(key),
    sh`
[ -n "$(first_of dockerd dockerd-current docker)" ] || fail package-manager ${`No engine is on ${plan.machineName} after its installation from ${way.title}`}`,
    closing,
    engineProbe,
    sh`end`,
  );
}

/** A newer engine in the place of one that works: containers are held while packages restart it as they please. */
export function upgradeScript(plan: Plan, way: Installation, key: string, parameters: InstallParameters): ShellText {
  const { bounds, daemonJson } = parameters;
  return joinLines(
    opening(plan, way, parameters),
    engineControl({
      label: plan.machineName,
      service: plan.service,
      survival: plan.survival,
      port: undefined,
      startSeconds: Math.ceil(bounds.engineStartMs / 1000),
      daemonJson: { old: daemonJson, new: daemonJson },
    }),
    leavingAlone,
    sh`
bring=pkg_upgrade
downgrading=${parameters.allowDowngrade ? "yes" : ""}
programs_before=$(engine_programs)
# What fails before leaves an engine that runs alone.
before_engine_changes() {
  on_failure() { restore_engine; record_failed; }
  before=$(running_containers)
  hold_containers
  engine_touched=yes
}
lists_words=
pkg_refresh || { lists_words=$managed_log.lists; cp "$managed_log" "$lists_words"; }`,
    way.install(key),
    sh`
if [ "$(engine_programs)" = "$programs_before" ] && engine_is_current; then
  release_containers new
  if [ -n "$lists_words" ]; then`,
    leavingAlone,
    sh`
    grep -v '^$' "$lists_words" | tail -n 8 | why
    hint "The engine is as it was. Once the mirror answers, run the command again."
    fail package-manager ${`The lists of packages on ${plan.machineName} could not be brought up to date, so that a newer engine is not known of`}
  fi
elif service_reload; ! start_installed_engine; then
  service_words | why
  fail engine-start ${`The new engine on ${plan.machineName} does not start`}
fi
start_again "$before"`,
    closing,
    engineProbe,
    sh`end`,
  );
}

function opening(plan: Plan, way: Installation, parameters: InstallParameters): ShellText {
  return joinLines(
    changingPrelude(plan, parameters.bounds),
    clockScript(plan, parameters.epochSeconds),
    ...exportedProxies(parameters.env),
    sh`pkg_list() { :; }; pkg_refresh() { :; }; pkg_keep_all() { :; }; before_engine_changes() { :; }`,
    foretold(plan.forecasts.get(way.source)),
    way.manager?.functions,
    packageRecord,
  );
}

/** What was announced is what is installed: it is chosen once. */
function foretold(forecast: WayForecast | undefined): ShellText | false {
  return forecast?.kind === "told" && sh`foretold_words=${forecast.words.join(" ")}; foretold_state=${forecast.state}`;
}

/** The engine's proxies serve its installation too. */
export function exportedProxies(env: readonly string[]): readonly ShellText[] {
  return env.filter((assignment) => /^\w+_proxy=/iu.test(assignment)).map(exported);
}

function exported(assignment: string): ShellText {
  const [name = "", ...rest] = assignment.split("=");
  return sh`${name}=${rest.join("=")}; export ${name}`;
}

/** Nothing is left to be undone then: a run that failed is none that was interrupted. */
const undoing = sh`on_failure() { undo_run; record_failed; rm -rf ${statePaths.run}; }`;

/** As {@link undoing}, where nothing is left to be gone on with either. */
const leavingAlone = sh`on_failure() { undo_run; record_failed; rm -rf ${statePaths.run}; printf '\n@fact\tuntouched\tyes\n'; }`;

const closing = sh`
record_packages
rm -f ${statePaths.packagesBefore}
finish_run`;
