/**
 * The security group of `--openstack-open-cidr` and `--openstack-open-port`: one a machine, beside those that the user
 * names. Without it the machine has the named ones, or the project's `default`, as with 0.16.2.
 */
import { createOnce } from "../../driver-kit/create-once.ts";
import { markedName, requireMark } from "../../driver-kit/marks.ts";
import { isOpenToWorld, machinePorts, parseCidrs, parseOpenPorts, type PortRange } from "../../driver-kit/open-ports.ts";
import { failureKindOf } from "../../driver-kit/provider-error.ts";
import { defaultEnginePort } from "../../engine/engine-address.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { someOf } from "./flavor.ts";
import { tagThing } from "./network-tags.ts";
import { hasOwnGroup, openStackOptions, type OpenStackConfig } from "./options.ts";
import { kinds, marked, type Workplace } from "./workplace.ts";

/** https://docs.openstack.org/api-ref/network/v2/#security-groups-security-groups */
interface SecurityGroup {
  readonly id: string;
  readonly name: string;
  readonly security_group_rules: readonly Rule[];
}

interface Rule {
  readonly direction: "ingress" | "egress";
  readonly ethertype: "IPv4" | "IPv6";
  readonly protocol: string | null;
  readonly port_range_min: number | null;
  readonly port_range_max: number | null;
  readonly remote_ip_prefix: string | null;
}

const defaultGroup = "default";
const { flagOf } = openStackOptions;

/** Groups by what the request for a server takes: names and ids of the user's, the id of ours. */
export async function ensureGroups(place: Workplace, signal: AbortSignal): Promise<readonly string[]> {
  const { config } = place;
  if (!hasOwnGroup(config)) return config.SecurityGroups;
  const own = await ensureOwnGroup(place, signal);
  return [...(config.SecurityGroups.length === 0 ? [defaultGroup] : config.SecurityGroups), own];
}

async function ensureOwnGroup(place: Workplace, signal: AbortSignal): Promise<string> {
  const { api, config, context, ledger } = place;
  const { id, word } = requireMark(context.createId);
  const name = markedName(`docker-machine-${context.machineName}`, id);
  const mayExist = ledger.of(kinds.securityGroup).length > 0;
  await ledger.intend(kinds.securityGroup, name);
  const find = async (): Promise<SecurityGroup | undefined> =>
    (await marked(place, kinds.securityGroup, signal))[0] as SecurityGroup | undefined;
  const make = async (): Promise<SecurityGroup> => {
    const body = { security_group: { name, description: word } };
    const path = "/security-groups";
    return (await api.send<{ security_group: SecurityGroup }>("network", { method: "POST", path, body }, signal)).security_group;
  };
  const group = await createOnce({ mayExist, find, make });
  await ledger.note(kinds.securityGroup, group.id, name);
  const ranges = rangesOf(config);
  if (isOpenToWorld(ranges)) {
    const what = config.OpenCidrs.length === 0 ? "it is not narrowed by" : "it says";
    logTo(
      context.report,
      "warn",
      `The security group lets everybody in, as ${what} ${flagOf("OpenCidrs")}; the engine asks for a certificate`,
    );
  }
  const there = new Set(group.security_group_rules.map(keyOf));
  for (const rule of rulesOf(config)) if (!there.has(keyOf(rule))) await addRule(place, group.id, rule, signal);
  await removeDoubles(place, group.id, signal);
  await tagThing(place, `/security-groups/${group.id}`, signal);
  return group.id;
}

function rangesOf({ IpVersion, OpenCidrs }: OpenStackConfig): ReturnType<typeof parseCidrs> {
  return OpenCidrs.length === 0 && IpVersion === 6 ? { v4: [], v6: ["::/0"] } : parseCidrs("openstack-open-cidr", OpenCidrs);
}

function rulesOf(config: OpenStackConfig): readonly Rule[] {
  const { v4, v6 } = rangesOf(config);
  const ports = machinePorts({
    sshPort: config.SSHPort,
    enginePort: defaultEnginePort,
    swarmMaster: config.SwarmMaster,
    swarmHost: config.SwarmHost,
    openPorts: parseOpenPorts("openstack-open-port", config.OpenPorts),
  });
  const of = (ethertype: Rule["ethertype"], icmp: string, range: string): readonly Rule[] => [
    ...ports.map((port) => ruleFor(ethertype, port, range)),
    { direction: "ingress", ethertype, protocol: icmp, port_range_min: null, port_range_max: null, remote_ip_prefix: range },
  ];
  return [...v4.flatMap((range) => of("IPv4", "icmp", range)), ...v6.flatMap((range) => of("IPv6", "ipv6-icmp", range))];
}

function ruleFor(ethertype: Rule["ethertype"], { protocol, from, to }: PortRange, range: string): Rule {
  return { direction: "ingress", ethertype, protocol, port_range_min: from, port_range_max: to, remote_ip_prefix: range };
}

function keyOf(rule: Rule): string {
  const { direction, ethertype, protocol, port_range_min: from, port_range_max: to, remote_ip_prefix: range } = rule;
  return [direction, ethertype, protocol, from, to, range].join(" ");
}

/** There is only one of each rule, so one that is asked for twice is there. */
async function addRule({ api }: Workplace, group: string, rule: Rule, signal: AbortSignal): Promise<void> {
  const body = { security_group_rule: { ...rule, security_group_id: group } };
  try {
    await api.send("network", { method: "POST", path: "/security-group-rules", body, safe: true }, signal);
  } catch (error) {
    if (failureKindOf(error) !== "exists") throw error;
  }
}

/** A request that was heard twice has made another. */
async function removeDoubles(place: Workplace, own: string, signal: AbortSignal): Promise<void> {
  for (const { id } of await marked(place, kinds.securityGroup, signal))
    if (id !== own) await place.api.delete("network", `/security-groups/${id}`, signal);
}

/** The groups that the user names exist; and the machine will be reached, as far as groups tell. */
export async function checkGroups(place: Workplace, signal: AbortSignal): Promise<void> {
  const { api, config, context } = place;
  const project = await api.session.project(signal);
  const query = { project_id: project?.id };
  const groups = await api.list<SecurityGroup>("network", "/security-groups", "security_groups", query, signal);
  const wanted = config.SecurityGroups.length === 0 ? [defaultGroup] : config.SecurityGroups;
  const chosen =
    config.SecurityGroups.length === 0
      ? groups.filter(({ name }) => name === defaultGroup)
      : wanted.map((one) => requireGroup(one, groups));
  if (hasOwnGroup(config) || chosen.length === 0) return;
  const closed = [config.SSHPort, defaultEnginePort].filter((port) => !chosen.some((group) => letsIn(group, port)));
  if (closed.length > 0)
    logTo(
      context.report,
      "warn",
      `No rule of the security group ${wanted.join(", ")} lets anybody in at port ${closed.join(" and ")}; ${flagOf("OpenCidrs")} makes a group that does`,
    );
}

function requireGroup(wanted: string, groups: readonly SecurityGroup[]): SecurityGroup {
  const found = groups.filter(({ id, name }) => id === wanted || name === wanted);
  const [group] = found;
  if (group !== undefined && found.length === 1) return group;
  if (group !== undefined)
    throw new MachineError("driver-options", `There are ${found.length} security groups named ${wanted}`, {
      hint: `Give the id of one in ${flagOf("SecGroups")}: ${found.map(({ id }) => id).join(", or ")}.`,
    });
  throw new MachineError("provider-not-found", `Unable to find security group named ${wanted}`, {
    hint: `Choose of ${someOf(groups.map(({ name }) => name))} with ${flagOf("SecGroups")}.`,
  });
}

/** Rules that let in members of a group let in nobody from here. */
function letsIn({ security_group_rules: rules }: SecurityGroup, port: number): boolean {
  return rules.some((rule) => {
    const isOpen = "remote_group_id" in rule && rule.remote_group_id !== null ? false : rule.direction === "ingress";
    const isTcp = rule.protocol === null || rule.protocol === "tcp" || rule.protocol === "6" || rule.protocol === "any";
    return isOpen && isTcp && (rule.port_range_min ?? 0) <= port && port <= (rule.port_range_max ?? 65_535);
  });
}
