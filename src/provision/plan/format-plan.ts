/** A plan as text, for `create --dry-run`, `--debug` and whoever reviews a change to a host. Shows no secret. */
import { named } from "../install/package-forecast.ts";
import { forecastOf, type Plan, type PlannedFile } from "./plan.ts";
import { changesLifetime } from "../lifetime/lifetime.ts";
import { editedPath } from "../shell/own-files.ts";
import { SecretText } from "../shell/secret-text.ts";
import { statePaths } from "../shell/state-paths.ts";

export function formatPlan(plan: Plan): string {
  const changes = [
    installLines(plan),
    packageLines(plan),
    hostLines(plan),
    fileLines(plan),
    engineLines(plan),
    firewallLines(plan),
    swarmLines(plan),
    lifetimeLines(plan),
    loginKeyLines(plan),
  ].flat();
  return [
    `Plan for ${plan.machineName} (${plan.system})`,
    ...(changes.length === 0 ? [row("nothing", "everything is as wanted")] : [...changes, ...recordLines(plan)]),
    ...plan.kept.map((text) => row("keep", text)),
    ...plan.warnings.map((text) => row("note", text)),
    "",
  ].join("\n");
}

/** Rows of several lines hang under their verb. */
function row(verb: string, text: string): string {
  return `  ${verb.padEnd(9)} ${text}`;
}

function installLines(plan: Plan): readonly string[] {
  return plan.installations.flatMap((way, index) => [
    row(index === 0 ? "engine" : "or else", `${way.title}${index === 0 ? "" : ", where the former cannot be reached"}`),
    ...way.steps.map((step) => row("", `- ${step}`)),
  ]);
}

/** What becomes of packages that are there already. */
function packageLines(plan: Plan): readonly string[] {
  const forecast = forecastOf(plan);
  if (forecast?.kind === "unknown") {
    const why = forecast.reason === "" ? "" : ` (${forecast.reason})`;
    return [
      row(
        "packages",
        `what would become of those that are there cannot be told yet${why}; it is asked again before anything is installed`,
      ),
    ];
  }
  if (forecast?.kind !== "told") return [];
  return [
    ...forecast.removed.map((item) => row("package", `${named(item)} is removed${plan.mayRemove ? "" : ` - ${notGiven}`}`)),
    ...forecast.replaced.map(({ name, from, to }) => row("package", `${named({ name, version: from })} becomes ${to}`)),
    ...forecast.held.map((name) => row("package", `${name} is held and would have to change: nothing would be installed`)),
  ];
}

const notGiven = "not without --engine-allow-removal";

function hostLines(plan: Plan): readonly string[] {
  return [
    ...(plan.hostName === undefined ? [] : [row("set", `host name ${plan.hostName} (/etc/hostname, /etc/hosts)`)]),
    ...(plan.setClock ? [row("set", "the clock to this computer's")] : []),
  ];
}

function fileLines(plan: Plan): readonly string[] {
  return [
    ...plan.files.filter((file) => file.change !== "same").flatMap((file) => describeFile(file, plan)),
    ...plan.removals.map((path) => row("remove", path)),
    ...plan.edited.map((path) => row("copy", `${path}, which was edited by hand since, to ${editedPath(path)}`)),
  ];
}

/** Before the engine is there, how its unit starts it is not known: ours then adds to that. */
function describeFile(file: PlannedFile, plan: Plan): readonly string[] {
  const secret = file.content instanceof SecretText;
  const head = row(file.change, `${file.path} (${file.mode}${secret ? ", secret" : ""})`);
  if (plan.installations.length > 0 || typeof file.content !== "string" || file.path.endsWith(".pem")) return [head];
  return [
    head,
    ...file.content
      .trimEnd()
      .split("\n")
      .map((line) => row("", `| ${line}`)),
  ];
}

const survivals = {
  "nothing-runs": "",
  "live-restore": "they keep running: live-restore is on",
  "live-restore-for-the-restart": "they keep running: live-restore is switched on for the restart and off again after it",
  stopped: "they stop and are started again",
} as const;

function engineLines(plan: Plan): readonly string[] {
  const count = plan.containers.length;
  const fate =
    plan.survival.kind === "stopped" ? `${survivals.stopped}, because ${plan.survival.why}` : survivals[plan.survival.kind];
  const containers = count === 0 ? "" : `; ${count} ${count === 1 ? "container runs" : "containers run"}: ${fate}`;
  return [
    ...(plan.restart ? [row("restart", `${plan.service.name}${containers}`)] : []),
    ...(plan.enable ? [row("enable", `${plan.service.name}, so that it starts with the machine`)] : []),
  ];
}

function firewallLines(plan: Plan): readonly string[] {
  return plan.firewall.map((change) =>
    row(
      "firewall",
      `${change.command}${change.permanent ? "" : " (until the next boot: no file is known that restores the rules)"}`,
    ),
  );
}

function swarmLines(plan: Plan): readonly string[] {
  return plan.swarm.map((container) => row("run", `container ${container.name} of ${container.image}, if that image is there`));
}

function lifetimeLines({ lifetime }: Plan): readonly string[] {
  if (lifetime === undefined || !changesLifetime(lifetime)) return [];
  return [
    ...lifetime.files.filter((file) => file.change !== "same").map((file) => row(file.change, `${file.path} (${file.mode})`)),
    ...lifetime.removals.map((path) => row("remove", path)),
    row("time", lifetime.removals.length > 0 ? lifetime.words : `${lifetime.by} powers it off ${lifetime.words}`),
  ];
}

function loginKeyLines({ loginKey, machineName }: Plan): readonly string[] {
  if (loginKey === undefined) return [];
  return [row("key", `a key pair of ${machineName}'s own, in .ssh/authorized_keys of ${loginKey.user}; yours is not kept`)];
}

function recordLines(plan: Plan): readonly string[] {
  return plan.record ? [row("record", `in ${statePaths.folder} how it was before, for "docker-machine rm --restore"`)] : [];
}
