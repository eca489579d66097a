/** Undoing: what a cut-off run left, and all that was ever changed on an adopted host. */
import { changingFunctions } from "../shell/changing.ts";
import { changingPrelude } from "./configure-script.ts";
import { engineControl } from "../engine/engine-control.ts";
import { daemonJsonPath } from "../engine/daemon-json.ts";
import { ownSystemdUnitPath } from "../engine/own-units.ts";
import type { HostFacts, HostRecordFacts } from "../facts/facts.ts";
import type { Family } from "../families/family.ts";
import { closingFunctions } from "../firewall/firewall.ts";
import { answering } from "../shell/script-protocol.ts";
import { survivalOf, type Survival } from "../engine/survival.ts";
import type { ProvisionBounds } from "../provision-context.ts";
import { scriptPrelude } from "../shell/script-protocol.ts";
import { serviceFor } from "../engine/engine-service.ts";
import { joinLines, sh, type ShellText } from "../shell/shell-text.ts";
import { statePaths } from "../shell/state-paths.ts";

/** Puts files back as they were before a run that was cut off; the engine's restart is owed from then on. */
export function recoverScript(label: string): ShellText {
  return joinLines(
    scriptPrelude,
    answering,
    changingFunctions({ record: false, label, packageLockSeconds: 0 }),
    sh`
undo_run
: > ${statePaths.restartOwed}
rm -rf ${statePaths.run}
end`,
  );
}

export interface RestorePlan {
  readonly remove: readonly string[];
  readonly putBack: readonly string[];
  /** Changed by someone else since: not touched. */
  readonly left: readonly string[];
  /** Newest first. */
  readonly folders: readonly string[];
  readonly packages: readonly string[];
  readonly disable: boolean;
  /** What becomes of the engine: it came with us and goes, it did not run and is stopped, or it starts as it was. */
  readonly engine: "goes" | "stops" | "restarts";
  readonly survival: Survival;
}

/** Pure. */
export function planRestore(facts: HostFacts, record: HostRecordFacts): RestorePlan {
  const of = (kind: string): readonly string[] =>
    record.changes.filter((change) => change.kind === kind).map((change) => change.what);
  const untouched = (path: string): boolean => !record.altered.has(path);
  const packages = of("package");
  const cameWithUs =
    packages.length > 0 || of("file-created").some((path) => path === ownSystemdUnitPath || path === facts.engine.dockerdPath);
  return {
    remove: of("file-created").filter(untouched),
    putBack: of("file-changed").filter(untouched),
    left: [...of("file-created"), ...of("file-changed")].filter((path) => !untouched(path)),
    folders: of("folder-created").toReversed(),
    packages,
    disable: of("unit-enabled").length > 0,
    engine: cameWithUs ? "goes" : of("unit-started").length > 0 ? "stops" : "restarts",
    survival: survivalOf(facts),
  };
}

export function restoreScript(
  plan: RestorePlan,
  facts: HostFacts,
  family: Family,
  label: string,
  bounds: ProvisionBounds,
): ShellText {
  const untouchedJson = !plan.left.includes(daemonJsonPath);
  const finalJson =
    untouchedJson && plan.putBack.includes(daemonJsonPath)
      ? facts.record?.originalDaemonJson
      : plan.remove.includes(daemonJsonPath)
        ? undefined
        : facts.engine.daemonJson;
  return joinLines(
    changingPrelude({ record: false, machineName: label }, bounds),
    engineControl({
      label,
      service: family.service ?? serviceFor(facts.init),
      survival: plan.survival,
      port: undefined,
      startSeconds: Math.ceil(bounds.engineStartMs / 1000),
      daemonJson: { old: facts.engine.daemonJson, new: finalJson },
    }),
    closingFunctions,
    family.manager?.(facts).functions,
    sh`on_failure() { restore_engine; }`,
    plan.engine !== "restarts" && sh`service_stop 2>&1`,
    plan.disable && sh`service_disable 2>&1`,
    plan.packages.length > 0 &&
      sh`pkg_remove ${plan.packages} || fail package-manager ${`The packages that were installed on ${label} could not be removed`}`,
    sh`[ -e ${statePaths.undoFirewall} ] && . ${statePaths.undoFirewall}`,
    ...plan.putBack.map((path) => sh`keep ${path}; cp -p ${statePaths.originals + path} ${path} && changed ${path}`),
    ...plan.remove.map((path) => sh`take_away ${path}`),
    // The identity that an engine gives itself, which no package owns.
    plan.engine === "goes" && sh`rm -f /etc/docker/key.json; rmdir /etc/docker 2> /dev/null`,
    ...plan.folders.map((path) => sh`rmdir ${path} 2> /dev/null`),
    sh`service_reload`,
    plan.engine === "restarts" && sh`restart_engine`,
    ...plan.left.map((path) => sh`note warn ${`${path} on ${label} was changed by someone else since and is left as it is`}`),
    plan.engine === "goes" &&
      sh`[ -d /var/lib/docker ] && note info ${`Images and volumes in /var/lib/docker of ${label} are left`}`,
    sh`
on_failure() { :; }
rm -rf ${statePaths.folder}
end`,
  );
}
