/** The scripts that bring an engine onto a host, or a newer one. They record which packages came with it. */
import type { Installation } from "../install/installation.ts";
import { changingPrelude, clockScript } from "./configure-script.ts";
import { engineControl } from "../engine/engine-control.ts";
import type { Plan } from "../plan/plan.ts";
import { engineProbe } from "../facts/probe-script.ts";
import type { ProvisionBounds } from "../provision-context.ts";
import { joinLines, sh, type ShellText } from "../shell/shell-text.ts";
import { statePaths } from "../shell/state-paths.ts";

export interface InstallParameters {
  /** The engine's environment; its proxies serve the installation too. */
  readonly env: readonly string[];
  readonly bounds: ProvisionBounds;
  readonly epochSeconds: number;
  /** As it is now. */
  readonly daemonJson: string | undefined;
}

/** Looks whether the way can be gone, and fetches what must be verified here first. */
export function prepareScript(plan: Plan, way: Installation, parameters: InstallParameters): ShellText | undefined {
  if (way.prepare === undefined) return undefined;
  return joinLines(opening(plan, way, parameters), way.prepare, closing, sh`end`);
}

export function installScript(plan: Plan, way: Installation, key: string, parameters: InstallParameters): ShellText {
  return joinLines(
    opening(plan, way, parameters),
    sh`
bring=pkg_install
on_failure() { undo_run; record_packages; }`,
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
    sh`
bring=pkg_upgrade
on_failure() { engine_touched=yes; restore_engine; record_packages; }
before=$(running_containers)
hold_containers
pkg_refresh`,
    way.install(key),
    sh`
if ! start_engine new; then
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
    ...parameters.env.filter((assignment) => /^\w+_proxy=/iu.test(assignment)).map(exported),
    sh`pkg_list() { :; }; pkg_refresh() { :; }`,
    way.functions,
    packageRecord,
  );
}

function exported(assignment: string): ShellText {
  const [name = "", ...rest] = assignment.split("=");
  return sh`${name}=${rest.join("=")}; export ${name}`;
}

/** Of a run that was cut off, the list of packages from before it counts: what came since is ours. */
const packageRecord = sh`
continued=
if [ -e ${statePaths.packagesBefore} ]; then continued=yes; else pkg_list > ${statePaths.packagesBefore}; fi
record_packages() {
  pkg_list | grep -vxFf ${statePaths.packagesBefore} | while IFS= read -r package; do
    remember package "$package"
    printf '@fact\tinstalled\t%s\n' "$package"
  done
}`;

const closing = sh`
record_packages
rm -f ${statePaths.packagesBefore}
finish_run`;
