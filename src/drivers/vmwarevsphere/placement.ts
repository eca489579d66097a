/** Which datastore a VM gets: the one that was found, or what vSphere recommends of a cluster of them. */
import { MachineError } from "../../errors/machine-error.ts";
import { refOf } from "./api/answers.ts";
import { typed, type Ref } from "./api/wire.ts";
import { childOf, childrenOf } from "./api/xml.ts";
import { newDisk, newDiskKey } from "./hardware.ts";
import { folderOf, hostOf, poolOf, type Workplace } from "./workplace.ts";

export interface ChosenDatastore {
  readonly ref: Ref;
  readonly name: string;
}

const kib = 1024;

/** Chosen once: what was recommended is kept in the record, with the next save. */
export async function chooseDatastore(place: Workplace, signal: AbortSignal): Promise<ChosenDatastore> {
  const { api, config } = place;
  if (config.DatastoreRef === "") {
    const ref = await recommended(place, signal);
    const name = (await api.properties(ref, ["name"], signal))?.get("name")?.text ?? "";
    Object.assign(config, { DatastoreRef: ref.value, DatastoreName: name });
    await place.context.save();
  }
  return { ref: { type: "Datastore", value: config.DatastoreRef }, name: config.DatastoreName };
}

async function recommended({ api, config, context }: Workplace, signal: AbortSignal): Promise<Ref> {
  const storagePod: Ref = { type: "StoragePod", value: config.PodRef };
  const { changes, backing } = newDisk(config.DiskSize * kib);
  const configSpec = typed("VirtualMachineConfigSpec", {
    name: context.machineName,
    files: typed("VirtualMachineFileInfo", { vmPathName: "" }),
    deviceChange: changes,
  });
  const located = typed("PodDiskLocator", { diskId: newDiskKey, diskBackingInfo: backing });
  const initialVmConfig = typed("VmPodConfigForPlacement", { storagePod, disk: located });
  const storageSpec = typed("StoragePlacementSpec", {
    type: "create",
    podSelectionSpec: typed("StorageDrsPodSelectionSpec", { initialVmConfig, storagePod }),
    configSpec,
    resourcePool: poolOf(config),
    host: hostOf(config),
    folder: folderOf(config),
  });
  const manager = (await api.content(signal)).manager("storageResourceManager");
  const answer = await api.call("RecommendDatastores", manager, { storageSpec }, signal);
  const [first] = childrenOf(childOf(answer, "returnval"), "recommendations");
  const destination = refOf(childOf(first, "action", "destination"));
  if (destination !== undefined) return destination;
  throw new MachineError(
    "provider-capacity",
    `no datastore-cluster recommendations: vSphere recommends no datastore of ${config.DatastoreCluster}`,
    {
      hint: "Check that Storage DRS is on for the cluster and that its datastores have room, or name a --vmwarevsphere-datastore.",
    },
  );
}
