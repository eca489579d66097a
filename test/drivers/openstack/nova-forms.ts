/** How Nova writes what the fake keeps, by microversion. */
import { textOf, type Json } from "./answers.ts";
import { flavors, projectId, userId } from "./catalogue.ts";
import type { FakeNeutron } from "./fake-neutron.ts";
import type { FakeServer } from "./fake-nova.ts";
import { vmStates } from "./server-states.ts";

export function serverForm(server: FakeServer, neutron: FakeNeutron, version: number): Json {
  const { id, name, status, metadata, task, created, wish, fault } = server;
  const flavor = flavorOf(wish["flavorRef"]);
  const embedded = {
    original_name: flavor?.name,
    vcpus: flavor?.vcpus,
    ram: flavor?.ram,
    disk: flavor?.disk,
    ephemeral: 0,
    swap: 0,
    extra_specs: {},
  };
  const more = {
    tenant_id: projectId,
    user_id: userId,
    hostId: "",
    progress: 0,
    accessIPv4: "",
    accessIPv6: "",
    "OS-DCF:diskConfig": "MANUAL",
  };
  return {
    ...{ id, name, status, metadata, created, updated: created, links: [], ...more },
    image: textOf(wish["imageRef"]) === "" ? "" : { id: wish["imageRef"], links: [] },
    flavor: version >= 47 ? embedded : { id: flavor?.id, links: [] },
    addresses: addressesOf(id, neutron),
    key_name: wish["key_name"] ?? null,
    config_drive: wish["config_drive"] === true ? "True" : "",
    ...(version >= 26 ? { tags: server.tags } : {}),
    ...{
      "OS-EXT-STS:task_state": task,
      "OS-EXT-STS:vm_state": vmStates[status] ?? "",
      "OS-EXT-STS:power_state": status === "ACTIVE" ? 1 : 0,
    },
    ...{
      "OS-EXT-AZ:availability_zone": textOf(wish["availability_zone"]) || "nova",
      "os-extended-volumes:volumes_attached": [],
    },
    ...(fault === undefined ? {} : { fault: { code: 500, message: fault, created } }),
  };
}

function addressesOf(id: string, neutron: FakeNeutron): Json {
  const entries = neutron.portsOf(id).map((port) => {
    const network = neutron.networks.find((each) => each.id === port.network_id);
    const own = Object.entries(port.addresses).map(([version, addr]) => addressForm(addr, Number(version), "fixed"));
    const floating = [...neutron.floatingIps.values()].filter((each) => each.port_id === port.id);
    return [
      network?.name ?? "",
      [...own, ...floating.map((each) => addressForm(each.floating_ip_address, 4, "floating"))],
    ] as const;
  });
  return Object.fromEntries(entries);
}

function addressForm(addr: string, version: number, type: string): Json {
  return { addr, version, "OS-EXT-IPS:type": type, "OS-EXT-IPS-MAC:mac_addr": "fa:16:3e:01:02:03" };
}

export function attachmentForm(server: string, volume: string): Json {
  return { id: volume, volumeId: volume, serverId: server, device: "/dev/vdb", tag: null };
}

export function flavorOf(id: unknown): (typeof flavors)[number] | undefined {
  return flavors.find((each) => each.id === id);
}

/** What they ask of their hosts is told since 2.61. */
export function flavorForm({ extra_specs: specs, ...flavor }: (typeof flavors)[number], version: number): Json {
  return version >= 61 ? { ...flavor, extra_specs: specs } : flavor;
}
