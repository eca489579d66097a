/** Undoing: what a cut-off run left, and all that was ever changed on an adopted host. */
import { changingFunctions } from "../shell/changing.ts";
import { changingPrelude } from "./configure-script.ts";
import { engineControl } from "../engine/engine-control.ts";
import { daemonJsonPath } from "../engine/daemon-json.ts";
import { ownSystemdUnitPath } from "../engine/own-units.ts";
import type { HostFacts, HostRecordFacts } from "../facts/facts.ts";
import type { Family } from "../families/family.ts";
import { editedPath, isFormerDropIn, isOwnDropIn, lifetimePaths } from "../shell/own-files.ts";
import { endLifetimeScript } from "./set-lifetime-script.ts";
import { closingFunctions } from "../firewall/firewall.ts";
import { answering } from "../shell/script-protocol.ts";
import { survivalOf, type Survival } from "../engine/survival.ts";
import type { ProvisionBounds } from "../provision-context.ts";
import { scriptPrelude } from "../shell/script-protocol.ts";
import { serviceFor } from "../engine/engine-service.ts";
import { endGuestsScript } from "./guests-script.ts";
import { hereDocument, joinLines, sh, type ShellText } from "../shell/shell-text.ts";
import { statePaths } from "../shell/state-paths.ts";

/** Puts files back as they were before a run that was cut off; the engine's restart is owed from then on. */
export function recoverScript(label: string): ShellText {
  return joinLines(
    scriptPrelude,
    answering,
    changingFunctions({ record: false, label, packageLockSeconds: 0, mayRemove: false }),
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
  /** Ours, but edited by hand since: gone all the same, with a copy left beside them. */
  readonly edited: readonly string[];
  /** Newest first. */
  readonly folders: readonly string[];
  readonly packages: readonly string[];
  /** `NAME VERSION` of packages that made room for the engine. */
  readonly bringBack: readonly string[];
  /** Keys that the package manager was given. */
  readonly keys: readonly string[];
  readonly disable: boolean;
  /** Others were let in. */
  readonly guests: boolean;
  /** What becomes of the engine: it came with us and goes, it did not run and is stopped, it starts as it was, or is let be. */
  readonly engine: "goes" | "stops" | "restarts" | "left";
  readonly survival: Survival;
}

export const nothingToRestore: RestorePlan = {
  remove: [],
  putBack: [],
  left: [],
  edited: [],
  folders: [],
  packages: [],
  bringBack: [],
  keys: [],
  disable: false,
  guests: false,
  engine: "left",
  survival: { kind: "nothing-runs" },
};

/** An installation that failed leaves a record and no engine: then there is nothing to stop or start. */
function engineFate({ engine }: HostFacts, cameWithUs: boolean, startedByUs: boolean): RestorePlan["engine"] {
  if (cameWithUs) return "goes";
  if (engine.dockerdPath === undefined && engine.dockerPath === undefined) return "left";
  return startedByUs ? "stops" : "restarts";
}

/** Pure. */
export function planRestore(facts: HostFacts, record: HostRecordFacts): RestorePlan {
  const of = (kind: string): readonly string[] =>
    record.changes.filter((change) => change.kind === kind).map((change) => change.what);
  const dropIns = facts.engine.unitFiles.filter((file) => isOwnDropIn(file.path));
  const recorded = new Set([...of("file-created"), ...of("file-changed")]);
  const former = dropIns.filter(({ path, text }) => isFormerDropIn(text) && (record.altered.has(path) || !recorded.has(path)));
  // A drop-in is ours by its name, and without our certificates no engine starts with it. Where 0.16.2 wrote it since, the
  // certificates are of its making too.
  const untouched = (path: string): boolean =>
    !record.altered.has(path) || isOwnDropIn(path) || (former.length > 0 && path.endsWith(".pem"));
  const packages = of("package");
  const { ownerPackage } = facts.engine;
  const cameWithUs =
    (ownerPackage === undefined ? packages.length > 0 : packages.includes(ownerPackage)) ||
    of("file-created").some((path) => path === ownSystemdUnitPath || path === facts.engine.dockerdPath);
  return {
    remove: [...of("file-created").filter(untouched), ...former.map((file) => file.path).filter((path) => !recorded.has(path))],
    edited: dropIns.filter((file) => record.altered.has(file.path) && !isFormerDropIn(file.text)).map((file) => file.path),
    putBack: of("file-changed").filter(untouched),
    left: [...of("file-created"), ...of("file-changed")].filter((path) => !untouched(path)),
    folders: of("folder-created").toReversed(),
    packages,
    bringBack: of("package-gone"),
    keys: of("package-key"),
    disable: of("unit-enabled").length > 0,
    guests: of("guests").length > 0,
    engine: engineFate(facts, cameWithUs, of("unit-started").length > 0),
    survival: survivalOf(facts),
  };
}

/** Which records on the host are this owner's. */
export interface OwnRecords {
  readonly isNewest: boolean;
  /** Numbers of those below it. */
  readonly below: readonly number[];
}

export function ownRecords(record: HostRecordFacts, ids: readonly string[], isUnnamedOurs: boolean): OwnRecords {
  const isOurs = (owners: readonly string[]): boolean =>
    ids.length === 0 || (owners.length === 0 ? isUnnamedOurs : owners.some((owner) => ids.includes(owner)));
  return {
    isNewest: isOurs(record.owners),
    below: record.below.filter((layer) => ids.length > 0 && isOurs(layer.owners)).map((layer) => layer.number),
  };
}

/** Someone else has built upon what this owner set up: nothing is undone, but theirs is what can be undone from now on. */
export function withdrawScript(below: readonly number[], label: string, bounds: ProvisionBounds): ShellText {
  return joinLines(
    changingPrelude({ record: false, machineName: label, mayRemove: false }, bounds),
    ...below.map((number) => sh`merge_layer ${number}`),
    sh`rm -rf ${statePaths.run}
end`,
  );
}

/** @param others further records of the same owner, by their numbers. */
export function restoreScript(
  plan: RestorePlan,
  facts: HostFacts,
  family: Family,
  label: string,
  bounds: ProvisionBounds,
  others: readonly number[] = [],
): ShellText {
  const untouchedJson = !plan.left.includes(daemonJsonPath);
  const finalJson =
    untouchedJson && plan.putBack.includes(daemonJsonPath)
      ? facts.record?.originalDaemonJson
      : plan.remove.includes(daemonJsonPath)
        ? undefined
        : facts.engine.daemonJson;
  return joinLines(
    changingPrelude({ record: false, machineName: label, mayRemove: false }, bounds),
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
    plan.packages.length > 0 && presentScript(plan, label),
    (plan.engine === "goes" || plan.engine === "stops") && sh`engine_touched=yes; service_stop 2>&1`,
    plan.disable && sh`service_disable 2>&1`,
    plan.packages.length > 0 && removalScript(label),
    ...plan.keys.map((key) => sh`pkg_distrust ${key}`),
    sh`[ -e ${statePaths.undoFirewall} ] && . ${statePaths.undoFirewall}`,
    plan.remove.includes(lifetimePaths.script) && endLifetimeScript,
    plan.guests && endGuestsScript,
    ...plan.edited.map((path) => keepEdited(path, label)),
    ...plan.putBack.map(
      (path) => sh`keep ${path}; cp -p ${statePaths.originals + path} ${path} && relabel ${path} && changed ${path}`,
    ),
    ...plan.remove.map((path) => sh`take_away ${path}`),
    // The identity that an engine gives itself, which no package owns.
    plan.engine === "goes" && sh`rm -f /etc/docker/key.json; rmdir /etc/docker 2> /dev/null`,
    ...plan.folders.map((path) => sh`rmdir ${path} 2> /dev/null`),
    sh`service_reload`,
    plan.engine === "goes" && sh`service_let_go 2>&1`,
    plan.bringBack.length > 0 && bringBackScript(plan.bringBack, label),
    plan.engine === "restarts" && sh`restart_engine`,
    ...plan.left.map((path) => sh`note warn ${`${path} on ${label} was changed by someone else since and is left as it is`}`),
    plan.engine === "goes" &&
      sh`[ -d /var/lib/docker ] && note info ${`Images and volumes in /var/lib/docker of ${label} are left`}`,
    sh`
on_failure() { :; }
pop_layer`,
    ...others.map((number) => sh`merge_layer ${number}`),
    sh`end`,
  );
}

function keepEdited(path: string, label: string): ShellText {
  return sh`keep_edited ${path}
note warn ${`${path} on ${label} was edited by hand; it goes, and the edited text is kept as ${editedPath(path)}`}`;
}

/** What came since and needs these packages would go with them: known before the engine is stopped. */
function presentScript({ packages, bringBack }: RestorePlan, label: string): ShellText {
  return sh`
coming_back=${bringBack.map((item) => item.split(" ")[0]).join(" ")}
present=$(pkg_list | awk -v ours=${` ${packages.join(" ")} `} 'index(ours, " " $1 " ") { print $1 }')
needed=
[ -z "$present" ] || needed=$(pkg_needed $present | tr '\n' ' ')
[ -z "$needed" ] || hint "Remove them on the machine first, or the machine without --restore."
[ -z "$needed" ] || fail package-removal "Removing the engine from "${label}" would take away what was installed since: $needed"`;
}

/**
 * A package that goes takes its settings along. What lay in their place before it came is its owner's, so it is put back
 * from a copy that is made just before.
 */
function removalScript(label: string): ShellText {
  return sh`
cp -a /etc ${statePaths.run}/etc 2> /dev/null
[ -z "$present" ] || pkg_remove $present || fail package-manager ${`The packages that were installed on ${label} could not be removed`}
[ -e ${statePaths.settingsBefore} ] && while IFS= read -r path; do
  copy=${statePaths.run}$path
  [ -e "$path" ] || [ -L "$path" ] || ! { [ -e "$copy" ] || [ -L "$copy" ]; } || { mkdir -p "$(dirname "$path")" && cp -a "$copy" "$path" && changed "$path"; }
done < ${statePaths.settingsBefore}
rm -rf ${statePaths.run}/etc`;
}

/** Everything else is as it was by then: a repetition needs to do this alone. */
function bringBackScript(packages: readonly string[], label: string): ShellText {
  const list = hereDocument(packages.map((item) => `${item}\n`).join(""));
  return sh`
on_failure() { :; }
( pkg_put_back ${list}
) || fail package-manager ${`What made room for the engine on ${label} could not be installed again (${packages.join(", ")}); all else was put back`}`;
}
