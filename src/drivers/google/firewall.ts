/**
 * Who may reach the engine. As with 0.16.2 all machines of a network share the rule `docker-machines`, which is made when it
 * is missing, gets the ports that it lacks, and stays. With `--google-open-cidr` a machine has a rule and a tag of its
 * own, which go with it.
 */
import { isOpenToWorld, machinePorts, parseCidrs, parseOpenPorts, type PortRange } from "../../driver-kit/open-ports.ts";
import { markedName, requireMark, uuidOf } from "../../driver-kit/marks.ts";
import { failureKindOf } from "../../driver-kit/provider-error.ts";
import { defaultEnginePort } from "../../engine/engine-address.ts";
import { logTo } from "../../log/event.ts";
import type { GoogleConfig } from "./options.ts";
import { kinds, type Workplace } from "./workplace.ts";

interface Allowed {
  readonly IPProtocol: string;
  readonly ports?: readonly string[] | undefined;
}

export interface Firewall {
  readonly name: string;
  readonly network?: string | undefined;
  readonly targetTags?: readonly string[] | undefined;
  readonly allowed?: readonly Allowed[] | undefined;
}

type Rule = Readonly<Record<string, unknown>> & { readonly name: string };

const sharedRule = "docker-machines";
const sharedTag = "docker-machine";
const flags = { cidr: "google-open-cidr", port: "google-open-port" } as const;

/** Of the machine's own rule, and of the tag that it goes by; short enough for an ending. */
function ownRuleName({ context }: Pick<Workplace, "context">): string {
  return markedName(`docker-machine-${context.machineName.slice(0, 35)}`, requireMark(context.createId).id);
}

/** The network tag by which a rule finds the machine. */
export function firewallTag(place: Pick<Workplace, "config" | "context">): string {
  return place.config.OpenCidrs.length > 0 ? ownRuleName(place) : sharedTag;
}

export async function ensureFirewall(place: Workplace, signal: AbortSignal): Promise<void> {
  if (place.config.SkipFirewall) return;
  if (place.config.OpenCidrs.length > 0) await ensureOwnRule(place, signal);
  else await ensureSharedRule(place, signal);
}

export function firewallPath(name: string): string {
  return `/global/firewalls/${name}`;
}

/** A rule has ranges of one family of addresses only. */
async function ensureOwnRule(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config, context, ledger } = place;
  const tag = ownRuleName(place);
  const ranges = parseCidrs(flags.cidr, config.OpenCidrs);
  for (const [name, sourceRanges] of [
    [tag, ranges.v4],
    [`${tag}-v6`, ranges.v6],
  ] as const) {
    const isMade = ledger.of(kinds.firewall).some(({ id, intended }) => id === name && !intended);
    if (sourceRanges.length === 0 || isMade) continue;
    if (isOpenToWorld({ v4: [], v6: [], ...(name === tag ? { v4: sourceRanges } : { v6: sourceRanges }) }))
      logTo(
        context.report,
        "warn",
        "The firewall lets everybody in, as --google-open-cidr says; the engine asks for a certificate",
      );
    await ledger.intend(kinds.firewall, name);
    await insertRule(
      place,
      { ...ruleOf(config, name, tag, true), sourceRanges },
      name === tag ? "firewall" : "firewall v6",
      signal,
    );
    await ledger.note(kinds.firewall, name);
  }
}

/**
 * Made already by an earlier call, or by another machine at the same time: both are as well. One that was removed since is
 * asked for by another id: Google would answer the same request with the operation of then.
 */
async function insertRule(place: Workplace, body: Rule, purpose: string, signal: AbortSignal): Promise<void> {
  for (const requestId of [uuidOf(purpose, requireMark(place.context.createId).id), undefined]) {
    try {
      await place.api.operate({ method: "POST", path: "/global/firewalls", body }, signal, requestId);
    } catch (error) {
      if (failureKindOf(error) !== "exists") throw error;
    }
    if ((await place.api.find<Firewall>(firewallPath(body.name), signal)) !== undefined) return;
  }
}

/** The same rule for all networks would only be one of them's. */
async function ensureSharedRule(place: Workplace, signal: AbortSignal): Promise<void> {
  const { api, config, context } = place;
  const network = lastPart(config.Network);
  for (const name of [sharedRule, `${sharedRule}-${network}`.slice(0, 63)]) {
    const found = await api.find<Firewall>(firewallPath(name), signal);
    if (found === undefined) {
      logTo(
        context.report,
        "warn",
        `Making the firewall rule ${name}: machines are reachable from everywhere, and the engine asks for a certificate; --google-open-cidr narrows it`,
      );
      const body = { ...ruleOf(config, name, sharedTag, false), sourceRanges: ["0.0.0.0/0"] };
      await insertRule(place, body, `shared firewall ${name}`, signal);
    }
    if (found !== undefined && lastPart(found.network ?? network) !== network) continue;
    return await addMissing(place, name, signal);
  }
}

/** Others may add theirs between reading and writing; what is missing then is added again. */
async function addMissing(place: Workplace, name: string, signal: AbortSignal): Promise<void> {
  const { api, config } = place;
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const rule = await api.find<Firewall>(firewallPath(name), signal);
    if (rule === undefined) return;
    const missing = portsOf(config, false).filter((range) => !isAllowed(rule, range));
    if (missing.length === 0) return;
    const allowed = [...(rule.allowed ?? []), ...allowedOf(missing)];
    await api.operate({ method: "PATCH", path: firewallPath(name), body: { allowed } }, signal);
  }
}

function isAllowed({ allowed = [] }: Firewall, { protocol, from, to }: PortRange): boolean {
  return allowed.some(({ IPProtocol, ports }) => {
    if (IPProtocol !== protocol && IPProtocol !== "all") return false;
    if (ports === undefined || ports.length === 0) return true;
    return ports.some((text) => {
      const [first = 0, last = first] = text.split("-").map(Number);
      return first <= from && to <= last;
    });
  });
}

function ruleOf(config: GoogleConfig, name: string, tag: string, withSsh: boolean): Rule {
  return {
    name,
    description: "Docker Machine",
    network: networkUrl(config),
    direction: "INGRESS",
    targetTags: [tag],
    allowed: allowedOf(portsOf(config, withSsh)),
  };
}

/** SSH is let in by rules of the network for the shared rule, as with 0.16.2. */
function portsOf(config: GoogleConfig, withSsh: boolean): readonly PortRange[] {
  return machinePorts({
    sshPort: withSsh ? config.SSHPort : defaultEnginePort,
    enginePort: defaultEnginePort,
    swarmMaster: config.SwarmMaster,
    swarmHost: config.SwarmHost,
    openPorts: parseOpenPorts(flags.port, config.OpenPorts),
  });
}

function allowedOf(ranges: readonly PortRange[]): readonly Allowed[] {
  const texts = (protocol: string): readonly string[] =>
    ranges.filter((range) => range.protocol === protocol).map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`));
  return ["tcp", "udp"].flatMap((protocol) => {
    const ports = texts(protocol);
    return ports.length === 0 ? [] : [{ IPProtocol: protocol, ports }];
  });
}

/** As the API takes it: a name alone is of the machine's own project. */
export function networkUrl({ Network, Project }: Pick<GoogleConfig, "Network" | "Project">): string {
  if (!Network.includes("/networks/")) return `projects/${Project}/global/networks/${Network}`;
  return Network.slice(Math.max(0, Network.indexOf("projects/")));
}

export function lastPart(url: string): string {
  return url.slice(url.lastIndexOf("/") + 1);
}
