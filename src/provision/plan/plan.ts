/**
 * What provisioning will do to a host, from facts and request alone. The scripts do what the plan says and nothing
 * else, so what is announced is what changes. Pure; throws where it would have to contradict the host's owner.
 */
import { MachineError } from "../../errors/machine-error.ts";
import { certificateHostFiles, layoutFor, type EngineLayout, type HostFile } from "../engine/engine-files.ts";
import { daemonJsonPath, liveRestoreOff } from "../engine/daemon-json.ts";
import { isOwnDropIn } from "../shell/own-files.ts";
import { ownSystemdUnitPath } from "../engine/own-units.ts";
import { certificateFiles } from "../engine/engine-settings.ts";
import type { HostFacts, RunningContainer } from "../facts/facts.ts";
import type { Family } from "../families/family.ts";
import type { FirewallChange } from "../firewall/firewall.ts";
import { firewallChanges, type AskedPort } from "../firewall/firewalls.ts";
import type { Installation } from "../install/installation.ts";
import { planLifetime, type LifetimePlan } from "../lifetime/lifetime.ts";
import { refuseRemoval, type Forecasts, type WayForecast } from "../install/package-forecast.ts";
import { installationsFor, requireRoom } from "./installation-choice.ts";
import type { ProvisionRequest } from "../provision-request.ts";
import { SecretText } from "../shell/secret-text.ts";
import { describeAuthority, ownerIdsOf, sharingOf, type Sharing } from "../engine/owners.ts";
import { serviceFor, type EngineService } from "../engine/engine-service.ts";
import { survivalOf, type Survival } from "../engine/survival.ts";
import { swarmContainers, type SwarmContainer } from "../engine/classic-swarm.ts";

type FileChange = "create" | "replace" | "same";

export interface PlannedFile extends HostFile {
  readonly change: FileChange;
}

export interface Plan {
  readonly machineName: string;
  readonly family: string;
  /** As 0.16.2 names the provisioner: os-release's ID. */
  readonly provisioner: string;
  /** `Debian GNU/Linux 12 (bookworm), x86_64, kernel 6.1.0, systemd`. */
  readonly system: string;
  /** Ways to an engine, tried in order; empty = the one that is there is kept. */
  readonly installations: readonly Installation[];
  /** What each of them would do to the packages that are there, as far as that was asked. */
  readonly forecasts: Forecasts;
  /** Packages may be removed: the machine is ours, or its owner gave them away. */
  readonly mayRemove: boolean;
  readonly files: readonly PlannedFile[];
  readonly removals: readonly string[];
  /** Files of ours that someone edited by hand since, and that are replaced or removed: a copy of each is left there. */
  readonly edited: readonly string[];
  readonly service: EngineService;
  readonly restart: boolean;
  readonly enable: boolean;
  readonly survival: Survival;
  readonly containers: readonly RunningContainer[];
  readonly firewall: readonly FirewallChange[];
  /** New host name; undefined = left alone. */
  readonly hostName?: string | undefined;
  /** The clock is set to ours. */
  readonly setClock: boolean;
  readonly swarm: readonly SwarmContainer[];
  /** A line comes into this user's authorized_keys. */
  readonly loginKey?: { readonly user: string } | undefined;
  /** What of the machine's time changes there; no concern of the engine's. */
  readonly lifetime?: LifetimePlan | undefined;
  /** What is deliberately left as it is. */
  readonly kept: readonly string[];
  readonly warnings: readonly string[];
  /** Changes are recorded on the host, so that they can be undone. */
  readonly record: boolean;
  readonly sharing: Sharing;
  /** Under which names they are recorded, the present one first; see {@link ownerIdsOf}. Empty = unknown. */
  readonly owners: readonly string[];
  /** A record without a name, of an earlier version, is taken for ours. */
  readonly isUnnamedRecordOurs: boolean;
}

/** Certificates made now are dated five minutes back; a host further behind calls them not yet valid. */
const tolerableSkewMs = 240_000;

const nothingAsked: Forecasts = new Map();

export function planProvision(
  facts: HostFacts,
  family: Family,
  request: ProvisionRequest,
  forecasts: Forecasts = nothingAsked,
): Plan {
  const layout = family.layout ?? layoutFor(facts.init);
  refuseForeignEngines(facts, request.machineName);
  refuseMaskedUnit(facts, request.machineName);
  refuseSilentEngine(facts, request.machineName);
  const installations = installationsFor(facts, family, request);
  if (installations.length > 0) requireRoom(facts, request.machineName);
  const { base, lostLiveRestore } = withSwarmMode(facts, request);
  const settings = layout.render(base, request, lacksService(facts, installations));
  const sharing = sharingOf(facts, request, layout.certificateFolder);
  const wanted = [...certificateHostFiles(request, layout.certificateFolder, sharing), ...settings.files];
  const files = [...wanted, ...(wanted.some(({ path }) => path === daemonJsonPath) ? [] : lostLiveRestore)].map((file) =>
    planned(file, facts, request, layout),
  );
  const service = family.service ?? serviceFor(facts.init);
  const removals = settings.remove;
  const changes = files.some((file) => file.change !== "same") || removals.length > 0;
  const restart =
    changes || installations.length > 0 || facts.restartOwed || !facts.engine.unitActive || facts.engine.answer === undefined;
  return {
    machineName: request.machineName,
    family: family.name,
    provisioner: facts.os.id || family.name,
    system: `${facts.os.prettyName}, ${facts.architecture}, kernel ${facts.kernel}, ${facts.init}`,
    installations,
    forecasts,
    mayRemove: !request.adopted || request.engine.allowRemoval,
    files,
    removals,
    edited: editedFiles([...files.filter((file) => file.change === "replace").map((file) => file.path), ...removals], facts),
    service,
    restart,
    enable: !facts.engine.unitEnabled,
    survival: survivalOf(base),
    containers: facts.engine.containers,
    firewall: firewallPlan(facts, request),
    hostName: request.adopted || facts.hostName === request.machineName ? undefined : request.machineName,
    setClock: !request.adopted && Math.abs(facts.clockSkewMs) > tolerableSkewMs,
    swarm: swarmContainers(request, layout.certificateFolder),
    loginKey: request.loginKey,
    lifetime: planLifetime(facts, request),
    kept: keptOn(facts, request, installations, forecasts),
    warnings: [
      ...settings.remarks,
      ...swarmModeWarnings(lostLiveRestore),
      ...ownerWarnings(sharing, request),
      ...labelWarnings(facts, request, changes || installations.length > 0),
      ...warningsFor(facts, request, installations),
    ],
    record: request.adopted,
    sharing,
    owners: ownerIdsOf(request),
    isUnnamedRecordOurs: sharing.others.length === 0,
  };
}

/** What is foretold of the way that will be gone, as far as that is known; undefined = nobody asked. */
export function forecastOf({ installations, forecasts }: Pick<Plan, "installations" | "forecasts">): WayForecast | undefined {
  const reachable = installations.filter(({ source }) => forecasts.get(source)?.kind !== "unreachable");
  return forecasts.get((reachable[0] ?? installations.at(-1))?.source ?? "auto");
}

/** Throws `package-removal` where the plan would take something from the host's owner that was not given away. */
export function requireNoRemoval(plan: Plan): void {
  const forecast = forecastOf(plan);
  if (forecast?.kind !== "told") return;
  const harmless = [...plan.forecasts].flatMap(([source, other]) =>
    other.kind === "told" && other !== forecast && other.removed.length + other.held.length === 0 ? [source] : [],
  );
  const unhold = plan.installations[0]?.manager?.unhold ?? "";
  refuseRemoval(forecast, { label: plan.machineName, mayRemove: plan.mayRemove, harmless, unhold });
}

/** Packages bring their unit; static binaries and a dockerd that was copied there do not. */
function lacksService({ engine }: HostFacts, installations: readonly Installation[]): boolean {
  if (installations.length > 0) return installations[0]?.source === "static";
  const foreign = engine.unitFiles.filter((file) => !isOwnDropIn(file.path));
  return (
    foreign.length === 0 ||
    foreign.some((file) => file.path === ownSystemdUnitPath && file.text.startsWith("[Unit]\nDescription=Docker Engine\n"))
  );
}

/** Before anything is changed: whoever masked the unit wants no engine there, or forgot about it. */
function refuseMaskedUnit({ engine }: HostFacts, label: string): void {
  if (!engine.unitMasked) return;
  throw new MachineError("engine-start", `docker.service on ${label} is masked, so that nothing can start the engine`, {
    hint: "Take the mask off on the machine, then run the command again: sudo systemctl unmask docker.service docker.socket",
  });
}

/** Engines that read neither drop-ins nor /etc/docker, or that nobody's init system started. */
function refuseForeignEngines({ engine }: HostFacts, label: string): void {
  if (engine.snap) {
    throw new MachineError(
      "engine-config-conflict",
      `Docker is installed as a snap on ${label}, which reads neither systemd drop-ins nor /etc/docker`,
      {
        hint: 'Remove it on the machine ("sudo snap remove docker", its containers go with it) and run the command again.',
      },
    );
  }
  if (engine.pid !== undefined && !engine.unitActive && engine.answer !== undefined) {
    throw new MachineError(
      "engine-config-conflict",
      `The engine on ${label} (process ${engine.pid}) was not started by the init system, so that it cannot be configured`,
      {
        hint: "Stop it on the machine and run the command again: it is then started as a service.",
      },
    );
  }
}

/** Restarting an engine whose containers cannot be seen would stop them unannounced. */
function refuseSilentEngine({ engine }: HostFacts, label: string): void {
  if (!engine.unitActive || engine.answer !== undefined || engine.shims === 0) return;
  throw new MachineError(
    "engine-timeout",
    `The engine on ${label} runs containers but does not answer on its own socket, so that they cannot be kept through a restart`,
    {
      hint: `Look at it on the machine ("journalctl -u docker"), restart it there if its containers may stop, and run the command again.`,
    },
  );
}

function planned(file: HostFile, facts: HostFacts, request: ProvisionRequest, layout: EngineLayout): PlannedFile {
  return { ...file, change: changeOf(file, facts, request, layout) };
}

function changeOf(file: HostFile, facts: HostFacts, request: ProvisionRequest, layout: EngineLayout): FileChange {
  if (file.path === `${layout.certificateFolder}/${certificateFiles.key}`) {
    // The key itself is never read back: it belongs to the certificate beside it.
    const key = facts.ownKeys.find((known) => known.path === file.path);
    const certificate = facts.ownFiles.get(`${layout.certificateFolder}/${certificateFiles.certificate}`);
    if (key === undefined) return "create";
    return key.safe && certificate !== undefined && sameText(certificate, request.serverCertificate) ? "same" : "replace";
  }
  const present = presentText(file.path, facts);
  if (present === undefined) return "create";
  return sameText(present, file.content instanceof SecretText ? file.content.reveal() : file.content) ? "same" : "replace";
}

/** daemon.json is its owner's, and what stands there is kept in it; certificates are nobody's text. */
function editedFiles(paths: readonly string[], { record }: HostFacts): readonly string[] {
  return paths.filter((path) => record?.altered.has(path) === true && path !== daemonJsonPath && !path.endsWith(".pem"));
}

function sameText(a: string, b: string): boolean {
  return a.trimEnd() === b.trimEnd();
}

function presentText(path: string, { engine, ownFiles }: HostFacts): string | undefined {
  if (path === daemonJsonPath) return engine.daemonJson;
  return [...engine.unitFiles, ...engine.settingsFiles].find((file) => file.path === path)?.text ?? ownFiles.get(path);
}

/** Facts without live-restore where that must go, and the file that says so. */
function withSwarmMode(
  facts: HostFacts,
  { swarmMode, machineName }: ProvisionRequest,
): { readonly base: HostFacts; readonly lostLiveRestore: readonly HostFile[] } {
  const content = swarmMode === undefined ? undefined : liveRestoreOff(facts.engine.daemonJson, machineName);
  if (content === undefined) return { base: facts, lostLiveRestore: [] };
  const base = { ...facts, engine: { ...facts.engine, daemonJson: content } };
  return { base, lostLiveRestore: [{ path: daemonJsonPath, mode: "0644", content }] };
}

function swarmModeWarnings(lostLiveRestore: readonly HostFile[]): readonly string[] {
  return lostLiveRestore.length === 0
    ? []
    : ["swarm mode excludes live-restore, which goes off: containers stop with their engine from now on"];
}

/** Management, what nodes tell each other, and overlay networks: https://docs.docker.com/engine/swarm/swarm-tutorial/ */
function swarmPorts({ swarmMode }: ProvisionRequest): readonly Omit<AskedPort, "ipv6">[] {
  if (swarmMode === undefined) return [];
  return [{ port: 2377 }, { port: 7946 }, { port: 7946, protocol: "udp" }, { port: swarmMode.dataPathPort, protocol: "udp" }];
}

function firewallPlan(facts: HostFacts, request: ProvisionRequest): readonly FirewallChange[] {
  const { port } = request.engine;
  const ipv6 = request.address.includes(":");
  const engine = port === undefined ? [] : firewallChanges(facts.firewall, { port, ipv6 });
  const changes = [...engine, ...swarmPorts(request).flatMap((need) => firewallChanges(facts.firewall, { ...need, ipv6 }))];
  if (changes.length > 0 && request.engine.firewall === "check") {
    const names = [...new Set(changes.map((change) => change.firewall))].join(" and ");
    throw new MachineError(
      "firewall-closed",
      engine.length > 0
        ? `${names} on ${request.machineName} keeps clients from the engine's port ${port}`
        : `${names} on ${request.machineName} keeps other members of its swarm from it`,
      {
        hint: `Open it on the machine: ${changes.map((change) => `sudo ${change.command.replaceAll(" && ", " && sudo ")}`).join(" && ")}`,
      },
    );
  }
  return changes;
}

function keptOn(
  facts: HostFacts,
  request: ProvisionRequest,
  installations: readonly Installation[],
  forecasts: Forecasts,
): readonly string[] {
  const { engine } = facts;
  const foreseen = forecastOf({ installations, forecasts });
  // A machine of ours gives way to its engine, and what a script from the web does is up to it.
  const keepsPackages =
    installations.length === 0 || (request.adopted && foreseen?.kind !== "unknown" && installations[0]?.source !== "script");
  const source = engine.ownerPackage === undefined ? "" : `, package ${engine.ownerPackage}`;
  return [
    ...(installations.length > 0 ? [] : [`engine ${engine.version ?? ""} (${engine.dockerdPath ?? engine.dockerPath}${source})`]),
    ...(request.adopted ? [`host name ${facts.hostName}`] : []),
    ...(engine.dataStores.length > 0 ? [`data of the storage driver ${engine.dataStores.join(", ")}`] : []),
    ...(facts.packageManagers.length > 0 && keepsPackages ? ["all other packages"] : []),
  ];
}

/** Before anything changes, who it is that a change would lock out. */
function ownerWarnings({ others, ca, trusted }: Sharing, { machineName }: ProvisionRequest): readonly string[] {
  if (others.length === 0) return [];
  const names = others.map(describeAuthority).join("; ");
  if (!others.every((authority) => ca.includes(authority.trimEnd()))) {
    return [
      `the engine on ${machineName} was set up by another owner, and its clients are locked out from now on: their CA is ${names}. --engine-share-ca keeps both; "docker-machine rm --restore ${machineName}" gives it back`,
    ];
  }
  return [
    `the engine on ${machineName} is shared with another owner, whose CA is ${names}${trusted.length > 0 ? "; it goes on to prove itself with that owner's certificate, which only they can renew" : ""}`,
  ];
}

/** What is written is labelled by restorecon; which labels a policy wants is not ours to know. */
function labelWarnings({ selinux, programs }: HostFacts, { machineName }: ProvisionRequest, writes: boolean): readonly string[] {
  if (selinux !== "enforcing" || programs.has("restorecon") || !writes) return [];
  return [
    `SELinux is enforcing on ${machineName} and restorecon is not installed: what is written there is labelled like the folder that it is in, and not as the policy says; the package policycoreutils brings it`,
  ];
}

function warningsFor(facts: HostFacts, request: ProvisionRequest, installations: readonly Installation[]): readonly string[] {
  const { engine } = facts;
  const wanted = request.engine.version;
  const warnings: string[] = [...(installations[0]?.remarks ?? [])];
  if (installations.length === 0 && wanted !== undefined && engine.version !== undefined && !engine.version.startsWith(wanted)) {
    warnings.push(
      `engine ${engine.version} is kept, not replaced by ${wanted}: "docker-machine upgrade ${request.machineName}" does that`,
    );
  }
  if (facts.packageLock !== undefined && installations.length > 0) {
    warnings.push(
      `${facts.packageLock.program || "another process"} (process ${facts.packageLock.pid}) holds ${facts.packageLock.file}: it is waited for`,
    );
  }
  if (request.adopted && Math.abs(facts.clockSkewMs) > tolerableSkewMs) warnings.push(skewWarning(facts.clockSkewMs));
  if (request.engine.port === undefined && facts.privilege.kind !== "root" && !facts.inDockerGroup)
    warnings.push(
      `${facts.userName} on ${request.machineName} is not in the group docker: "with" reaches the engine through sudo there, and docker's own ssh:// does not; "sudo usermod -aG docker ${facts.userName}" changes that`,
    );
  if (request.swarm !== undefined)
    warnings.push("classic swarm is no longer maintained; swarm mode, built into the engine, is its successor");
  return warnings;
}

function skewWarning(skewMs: number): string {
  const direction = skewMs > 0 ? "ahead of" : "behind";
  return `the machine's clock is ${Math.round(Math.abs(skewMs) / 1000)} s ${direction} this computer's, so that certificates may count as invalid; "timedatectl set-ntp true" puts it right`;
}
