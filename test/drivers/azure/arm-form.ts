/** What the fake resource manager shows of what it holds: the body as it was put, and what Azure adds. */
import { propertiesOf, referencesOf, type FakeEntry, type Json } from "./arm-entry.ts";

export function shownForm(entry: FakeEntry, all: readonly FakeEntry[]): Json {
  const { id, type, body, state, vmId, power, address } = entry;
  const users = (kind: string): readonly Json[] =>
    all
      .filter((other) => other.type.endsWith(kind) && referencesOf(other).some((one) => one.toLowerCase() === id.toLowerCase()))
      .map((other) => ({ id: other.id }));
  const more: Json = {};
  if (type.endsWith("/virtualmachines")) {
    const statuses = [
      { code: `ProvisioningState/${state.toLowerCase()}` },
      ...(power === "" ? [] : [{ code: `PowerState/${power}` }]),
    ];
    Object.assign(more, { vmId, instanceView: { statuses } });
  }
  if (type.endsWith("/publicipaddresses") && address !== "") {
    const label = (propertiesOf(body)["dnsSettings"] as { domainNameLabel?: string } | undefined)?.domainNameLabel;
    const dnsSettings = { domainNameLabel: label, fqdn: `${label}.${String(body["location"])}.cloudapp.azure.com` };
    Object.assign(more, { ipAddress: address }, label === undefined ? {} : { dnsSettings });
  }
  if (type.endsWith("/networkinterfaces")) {
    const [configuration] = (propertiesOf(body)["ipConfigurations"] ?? []) as { properties: Json }[];
    const properties = { privateIPAddress: address, ...configuration?.properties };
    Object.assign(more, { ipConfigurations: [{ ...configuration, properties }] });
  }
  if (type.endsWith("/subnets")) Object.assign(more, { ipConfigurations: users("/networkinterfaces") });
  if (type.endsWith("/availabilitysets")) Object.assign(more, { virtualMachines: users("/virtualmachines") });
  if (type.endsWith("/virtualnetworks")) {
    const subnets = all.filter((other) => other.id.toLowerCase().startsWith(`${id.toLowerCase()}/subnets/`));
    Object.assign(more, { subnets: subnets.map((subnet) => ({ id: subnet.id })) });
  }
  const properties = { ...propertiesOf(body), ...more, provisioningState: state };
  return { ...body, id, name: id.split("/").at(-1), type, properties };
}
