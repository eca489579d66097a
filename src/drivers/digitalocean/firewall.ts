/**
 * The firewall of `--digitalocean-open-cidr`. It goes by a tag and is made before the droplet, which so is never without
 * it. The tag is not the mark: it can be removed while a droplet that was asked for may still come.
 */
import { requireMark, markedName } from "../../driver-kit/marks.ts";
import { isOpenToWorld, machinePorts, parseCidrs, parseOpenPorts, type PortRange } from "../../driver-kit/open-ports.ts";
import { defaultEnginePort } from "../../engine/engine-address.ts";
import { logTo } from "../../log/event.ts";
import { createOnce } from "../../driver-kit/create-once.ts";
import type { DigitalOceanConfig } from "./options.ts";
import { kinds, type Workplace } from "./workplace.ts";

interface Firewall {
  readonly id: string;
  readonly name: string;
}

export async function ensureFirewall(place: Workplace, signal: AbortSignal): Promise<void> {
  const { api, config, context, ledger } = place;
  if (config.OpenCidrs.length === 0 || ledger.idOf(kinds.firewall) !== undefined) return;
  const { id } = requireMark(context.createId);
  const tag = firewallTag(id);
  await ensureTag(place, tag, signal);
  const name = markedName(`docker-machine-${context.machineName}`, id);
  const mayExist = ledger.of(kinds.firewall).length > 0;
  await ledger.intend(kinds.firewall, name);
  if (isOpenToWorld(parseCidrs("digitalocean-open-cidr", config.OpenCidrs)))
    logTo(
      context.report,
      "warn",
      "The firewall lets everybody in, as --digitalocean-open-cidr says; the engine asks for a certificate",
    );
  const made = await createOnce({
    mayExist,
    find: async () => await findFirewall(place, name, signal),
    make: async () => {
      const body = { name, tags: [tag], ...rulesOf(config) };
      return (await api.send<{ firewall: Firewall }>({ method: "POST", path: "/v2/firewalls", body }, signal)).firewall;
    },
  });
  await ledger.note(kinds.firewall, made.id, name);
}

/** What a droplet bears that the firewall is for. */
export function firewallTag(createId: string): string {
  return `${requireMark(createId).word}:firewall`;
}

export async function findFirewall({ api }: Workplace, name: string, signal: AbortSignal): Promise<Firewall | undefined> {
  const all = await api.list<Firewall>("/v2/firewalls", "firewalls", {}, signal);
  return all.find((firewall) => firewall.name === name);
}

/** A firewall takes only tags that exist. */
async function ensureTag({ api, ledger }: Workplace, name: string, signal: AbortSignal): Promise<void> {
  const mayExist = ledger.of(kinds.tag).some(({ id }) => id === name);
  await ledger.intend(kinds.tag, name);
  await createOnce({
    mayExist,
    find: async () => await api.find<object>(`/v2/tags/${encodeURIComponent(name)}`, signal),
    make: async () => await api.send<object>({ method: "POST", path: "/v2/tags", body: { name } }, signal),
  });
}

/** Without rules for what goes out, nothing does. */
const everywhere = { addresses: ["0.0.0.0/0", "::/0"] };

function rulesOf(config: DigitalOceanConfig): object {
  const { v4, v6 } = parseCidrs("digitalocean-open-cidr", config.OpenCidrs);
  const sources = { addresses: [...v4, ...v6] };
  const ports = machinePorts({
    sshPort: config.SSHPort,
    enginePort: defaultEnginePort,
    swarmMaster: config.SwarmMaster,
    swarmHost: config.SwarmHost,
    openPorts: parseOpenPorts("digitalocean-open-port", config.OpenPorts),
  });
  return {
    inbound_rules: [
      ...ports.map((range) => ({ protocol: range.protocol, ports: portsText(range), sources })),
      { protocol: "icmp", ports: "0", sources },
    ],
    outbound_rules: ["tcp", "udp", "icmp"].map((protocol) => ({ protocol, ports: "0", destinations: everywhere })),
  };
}

function portsText({ from, to }: PortRange): string {
  return from === to ? String(from) : `${from}-${to}`;
}
