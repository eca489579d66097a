/** Where a machine is: the public address's, or the interface's own. */
import type { ArmResource } from "./api.ts";
import { kinds, versionOf } from "./resource-names.ts";
import { idsFor, type Workplace } from "./workplace.ts";

interface PublicAddress extends ArmResource {
  readonly properties?: {
    readonly provisioningState?: string | undefined;
    readonly ipAddress?: string | undefined;
    readonly dnsSettings?: { readonly fqdn?: string | undefined } | undefined;
  };
}

interface Interface extends ArmResource {
  readonly properties?: {
    readonly provisioningState?: string | undefined;
    readonly ipConfigurations?:
      | readonly { readonly properties?: { readonly privateIPAddress?: string | undefined } }[]
      | undefined;
  };
}

export async function locate(place: Workplace, signal: AbortSignal): Promise<void> {
  place.config.IPAddress = await addressOf(place, signal);
}

/** "" while it has none. With a DNS label its name, as 0.16.2 has it: addresses change behind a name. */
async function addressOf(place: Workplace, signal: AbortSignal): Promise<string> {
  const { api, config } = place;
  const { address, nic } = idsFor(place);
  if (config.UsePrivateIP || config.NoPublicIP) {
    const found = await api.find<Interface>({ path: nic, version: versionOf(kinds.nic) }, signal);
    return found?.properties?.ipConfigurations?.[0]?.properties?.privateIPAddress ?? "";
  }
  const found = await api.find<PublicAddress>({ path: address, version: versionOf(kinds.address) }, signal);
  const { dnsSettings, ipAddress = "" } = found?.properties ?? {};
  return ipAddress !== "" && config.DNSLabel !== "" ? (dnsSettings?.fqdn ?? ipAddress) : ipAddress;
}
