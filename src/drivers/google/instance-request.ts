/** The instance as it is asked for. Pure: the same record gives the same request. */
import { namesIn } from "../../driver-kit/given-options.ts";
import type { MetadataItem } from "./api.ts";
import { parseAccelerator } from "./accelerator.ts";
import { firewallTag, networkUrl } from "./firewall.ts";
import { subnetworkUrl } from "./network.ts";
import { diskNameOf, instanceNameOf, labelsOf, type Workplace } from "./workplace.ts";

/** @param hasDisk its disk is there already, left by an earlier request */
export function instanceRequest(place: Workplace, items: readonly MetadataItem[], hasDisk: boolean): object {
  const { config } = place;
  const { Accelerator, MinCPUPlatform, SecureBoot, Zone } = config;
  return {
    name: instanceNameOf(place),
    description: "Docker Machine",
    machineType: `zones/${Zone}/machineTypes/${config.MachineType}`,
    labels: labelsOf(place),
    tags: { items: networkTags(place) },
    disks: [disk(place, hasDisk)],
    networkInterfaces: [networkInterface(place)],
    ...serviceAccounts(place),
    scheduling: scheduling(place),
    metadata: { items },
    ...(MinCPUPlatform === "" ? {} : { minCpuPlatform: MinCPUPlatform }),
    ...(Accelerator === "" ? {} : { guestAccelerators: [accelerator(place)] }),
    ...(SecureBoot ? { shieldedInstanceConfig: { enableSecureBoot: true } } : {}),
  };
}

function networkTags(place: Workplace): readonly string[] {
  return [...new Set([firewallTag(place), ...namesIn(place.config.Tags)])];
}

function disk(place: Workplace, hasDisk: boolean): object {
  const { config } = place;
  const { DiskKmsKey, DiskSize, DiskType, MachineImage, ProvisionedIops, ProvisionedThroughput, Zone } = config;
  const common = {
    boot: true,
    autoDelete: true,
    type: "PERSISTENT",
    mode: "READ_WRITE",
    ...(DiskKmsKey === "" ? {} : { diskEncryptionKey: { kmsKeyName: DiskKmsKey } }),
  };
  if (hasDisk) return { ...common, source: `projects/${config.Project}/zones/${Zone}/disks/${diskNameOf(place)}` };
  return {
    ...common,
    initializeParams: {
      diskName: diskNameOf(place),
      sourceImage: `projects/${MachineImage}`,
      diskSizeGb: String(DiskSize),
      diskType: `zones/${Zone}/diskTypes/${DiskType}`,
      labels: labelsOf(place),
      ...(ProvisionedIops === 0 ? {} : { provisionedIops: String(ProvisionedIops) }),
      ...(ProvisionedThroughput === 0 ? {} : { provisionedThroughput: String(ProvisionedThroughput) }),
    },
  };
}

function networkInterface(place: Workplace): object {
  const { config } = place;
  const subnetwork = subnetworkUrl(place);
  const access = { type: "ONE_TO_ONE_NAT", name: "External NAT", ...(config.StaticIP === "" ? {} : { natIP: config.StaticIP }) };
  return {
    network: networkUrl(config),
    ...(subnetwork === undefined ? {} : { subnetwork }),
    ...(config.IPv6
      ? { stackType: "IPV4_IPV6", ipv6AccessConfigs: [{ type: "DIRECT_IPV6", name: "External IPv6", networkTier: "PREMIUM" }] }
      : {}),
    ...(config.UseInternalIPOnly ? {} : { accessConfigs: [access] }),
  };
}

function serviceAccounts({ config }: Workplace): object {
  const { Scopes, ServiceAccount } = config;
  if (ServiceAccount === "" || ServiceAccount === "none") return {};
  const scopes = Scopes.split(",").map((scope) => scope.trim());
  return { serviceAccounts: [{ email: ServiceAccount, scopes: scopes.filter((scope) => scope !== "") }] };
}

/** Whatever else becomes of it, Google deletes it once it has run so long. */
export function scheduling(place: Workplace): object {
  const { MaxRunSeconds } = place.config;
  if (MaxRunSeconds === 0) return availability(place);
  return { ...availability(place), maxRunDuration: { seconds: String(MaxRunSeconds) }, instanceTerminationAction: "DELETE" };
}

/** A spot instance that Google takes back is stopped and can be started again. */
function availability({ config, context }: Workplace): object {
  const { Accelerator, MaintenancePolicy, Preemptible } = config;
  const onHostMaintenance = MaintenancePolicy === "" && Accelerator !== "" ? "TERMINATE" : MaintenancePolicy;
  if (!Preemptible) return onHostMaintenance === "" ? {} : { onHostMaintenance };
  if (context.computer.env["MACHINE_COMPAT"] === "0.16") return { preemptible: true };
  const interruption = { provisioningModel: "SPOT", instanceTerminationAction: "STOP", automaticRestart: false };
  return { preemptible: true, ...interruption, onHostMaintenance: "TERMINATE" };
}

function accelerator({ config }: Workplace): object {
  const { count, type } = parseAccelerator(config.Accelerator);
  return {
    acceleratorCount: count,
    acceleratorType: `projects/${config.Project}/zones/${config.Zone}/acceleratorTypes/${type}`,
  };
}
