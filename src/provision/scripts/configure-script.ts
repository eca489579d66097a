/**
 * The script that gives an engine its certificates and settings, restarts it when it must, and sees it listen. Does
 * what the plan says; when the engine does not come up it puts everything back and starts it as it was.
 */
import { changingFunctions, putFile } from "../shell/changing.ts";
import { engineControl } from "../engine/engine-control.ts";
import { daemonJsonPath } from "../engine/daemon-json.ts";
import type { HostFacts } from "../facts/facts.ts";
import type { FirewallChange } from "../firewall/firewall.ts";
import { answering } from "../shell/script-protocol.ts";
import type { Plan, PlannedFile } from "../plan/plan.ts";
import { lookingFunctions } from "../facts/probe-script.ts";
import type { ProvisionBounds } from "../provision-context.ts";
import { scriptPrelude } from "../shell/script-protocol.ts";
import { joinLines, sh, type ShellText } from "../shell/shell-text.ts";
import { statePaths } from "../shell/state-paths.ts";
import { setLifetimeScript } from "./set-lifetime-script.ts";
import { swarmScript } from "../engine/classic-swarm.ts";

/** Opens every script that changes something. */
export function changingPrelude(
  plan: Pick<Plan, "record" | "machineName" | "mayRemove"> & Partial<Pick<Plan, "owners" | "isUnnamedRecordOurs">>,
  bounds: ProvisionBounds,
): ShellText {
  return joinLines(
    scriptPrelude,
    answering,
    lookingFunctions(bounds.queryMs),
    changingFunctions({
      record: plan.record,
      label: plan.machineName,
      packageLockSeconds: Math.ceil(bounds.packageLockMs / 1000),
      mayRemove: plan.mayRemove,
      owners: plan.owners,
      isUnnamedRecordOurs: plan.isUnnamedRecordOurs,
    }),
    sh`begin_run`,
  );
}

export function configureScript(
  plan: Plan,
  facts: HostFacts,
  port: number | undefined,
  bounds: ProvisionBounds,
  epochSeconds: number,
): ShellText {
  const planned = plan.files.find((file) => file.path === daemonJsonPath)?.content;
  return joinLines(
    changingPrelude(plan, bounds),
    engineControl({
      label: plan.machineName,
      service: plan.service,
      survival: plan.survival,
      port,
      startSeconds: Math.ceil(bounds.engineStartMs / 1000),
      daemonJson: { old: facts.engine.daemonJson, new: typeof planned === "string" ? planned : facts.engine.daemonJson },
    }),
    sh`on_failure() { restore_engine; }`,
    clockScript(plan, epochSeconds),
    hostNameScript(plan),
    ...plan.edited.map((path) => sh`keep_edited ${path}`),
    sh`phase copying-certificates`,
    ...plan.files.filter(isCertificate).map(putPlanned),
    sh`phase configuring-engine`,
    ...plan.files.filter((file) => !isCertificate(file)).map(putPlanned),
    ...plan.removals.map((path) => sh`take_away ${path}`),
    plan.enable && sh`enable_engine`,
    restartScript(plan),
    ...plan.firewall.map(firewallScript),
    swarmScript(plan.swarm),
    setLifetimeScript(plan.lifetime),
    sh`rm -f ${statePaths.restartOwed}
finish_run
tell_engine_version
end`,
  );
}

function isCertificate(file: PlannedFile): boolean {
  return file.path.endsWith(".pem");
}

function putPlanned(file: PlannedFile): ShellText {
  return putFile(file.path, file.mode, file.content);
}

/** The plan may have been made for less: what is owed on the host itself counts too. */
function restartScript(plan: Plan): ShellText {
  return sh`
[ "$engine_was_active" = yes ] || remember unit-started docker
if [ ${plan.restart ? "yes" : "no"} = yes ] || [ -e ${statePaths.restartOwed} ] || ! engine_is_up; then restart_engine
elif [ "$engine_was_enabled" = no ]; then service_reload
fi`;
}

function firewallScript(change: FirewallChange): ShellText {
  return sh`
phase ${`opening-firewall ${change.firewall} ${change.port}`}
open_port() {
${change.open}
}
open_port || { hint ${`Open it by hand: sudo ${change.command}`}; fail firewall-closed ${`Port ${change.port} could not be opened in ${change.firewall}`}; }
[ "$record" = no ] || { own_layer; printf '%s\n' ${change.close.text} >> ${statePaths.undoFirewall}; }`;
}

/** Repositories and clients reject each other's certificates when clocks are days apart. */
export function clockScript(plan: Plan, epochSeconds: number): ShellText | false {
  return plan.setClock && sh`date -u -s ${`@${epochSeconds}`} > /dev/null 2>&1`;
}

/** 0.16.2's way: the name, /etc/hostname, and an entry in /etc/hosts so that sudo resolves it. */
function hostNameScript(plan: Plan): ShellText | undefined {
  const { hostName } = plan;
  if (hostName === undefined) return undefined;
  return sh`
if has sethostname; then sethostname ${hostName}; printf '%s\n' ${hostName} > /var/lib/boot2docker/etc/hostname
else
  hostnamectl set-hostname ${hostName} 2> /dev/null || hostname ${hostName}
  printf '%s\n' ${hostName} > /etc/hostname
fi
if ! grep -q ${`[[:space:]]${hostName.replaceAll(".", "\\.")}\\([[:space:]]\\|$\\)`} /etc/hosts; then
  # In place: in a container the file is mounted and cannot be replaced.
  hosts=$(sed ${`s/^127\\.0\\.1\\.1[[:space:]].*/127.0.1.1 ${hostName}/`} /etc/hosts)
  printf '%s\n' "$hosts" > /etc/hosts
  grep -q '^127\.0\.1\.1' /etc/hosts || printf '127.0.1.1 %s\n' ${hostName} >> /etc/hosts
fi`;
}
