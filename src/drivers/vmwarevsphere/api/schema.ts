/**
 * Members of the types that we send, in the order of vSphere's own description (its WSDL; govmomi's generated types follow
 * it), those of a base type first. Only what we send is listed. The tests hold each request against that description.
 */
const device = ["key", "deviceInfo", "backing", "connectable", "slotInfo", "controllerKey", "unitNumber"] as const;
const controller = [...device, "busNumber", "device"] as const;
const ethernetCard = [...device, "addressType", "macAddress", "wakeOnLanEnabled"] as const;
const fileBacking = ["fileName", "datastore", "backingObjectId"] as const;

export const schema = {
  ArrayUpdateSpec: ["operation", "removeKey"],
  DistributedVirtualSwitchPortConnection: ["switchUuid", "portgroupKey"],
  ObjectSpec: ["obj", "skip", "selectSet"],
  OptionValue: ["key", "value"],
  ParaVirtualSCSIController: [...controller, "hotAddRemove", "sharedBus", "scsiCtlrUnitNumber"],
  PodDiskLocator: ["diskId", "diskMoveType", "diskBackingInfo"],
  PropertyFilterSpec: ["propSet", "objectSet"],
  PropertySpec: ["type", "all", "pathSet"],
  RetrieveOptions: ["maxObjects"],
  StorageDrsPodSelectionSpec: ["initialVmConfig", "storagePod"],
  StoragePlacementSpec: [
    ...["type", "priority", "vm", "podSelectionSpec", "cloneSpec", "cloneName", "configSpec"],
    ...["relocateSpec", "resourcePool", "host", "folder"],
  ],
  TraversalSpec: ["name", "type", "path", "skip", "selectSet"],
  VAppIPAssignmentInfo: ["supportedAllocationScheme", "ipAllocationPolicy", "supportedIpProtocol", "ipProtocol"],
  VAppPropertyInfo: [
    "key",
    "classId",
    "instanceId",
    "id",
    "category",
    "label",
    "type",
    "typeReference",
    "userConfigurable",
    "defaultValue",
    "value",
  ],
  VAppPropertySpec: ["operation", "removeKey", "info"],
  VirtualAHCIController: controller,
  VirtualCdrom: device,
  VirtualCdromIsoBackingInfo: fileBacking,
  VirtualCdromRemotePassthroughBackingInfo: ["deviceName", "useAutoDetect", "exclusive"],
  VirtualDeviceConfigSpec: ["operation", "fileOperation", "device"],
  VirtualDeviceConnectInfo: ["migrateConnect", "startConnected", "allowGuestControl", "connected"],
  VirtualDisk: [...device, "capacityInKB", "capacityInBytes"],
  VirtualDiskFlatVer2BackingInfo: [...fileBacking, "diskMode", "split", "writeThrough", "thinProvisioned"],
  VirtualEthernetCardDistributedVirtualPortBackingInfo: ["port"],
  VirtualEthernetCardNetworkBackingInfo: ["deviceName", "useAutoDetect", "network"],
  VirtualEthernetCardOpaqueNetworkBackingInfo: ["opaqueNetworkId", "opaqueNetworkType"],
  VirtualMachineCloneSpec: ["location", "template", "config", "customization", "powerOn", "snapshot", "memory"],
  VirtualMachineConfigSpec: [
    ...["name", "version", "uuid", "instanceUuid", "guestId", "annotation", "files", "numCPUs", "numCoresPerSocket", "memoryMB"],
    ...["deviceChange", "extraConfig", "bootOptions", "vAppConfig", "firmware"],
  ],
  VirtualMachineFileInfo: ["vmPathName"],
  VirtualMachineImportSpec: ["entityConfig", "instantiationOst", "configSpec", "resPoolEntity"],
  VirtualMachineRelocateSpec: ["service", "folder", "datastore", "diskMoveType", "pool", "host"],
  VirtualVmxnet3: ethernetCard,
  VmConfigSpec: ["product", "property", "ipAssignment", "eula", "ovfSection", "ovfEnvironmentTransport"],
  VmPodConfigForPlacement: ["storagePod", "disk"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type SchemaType = keyof typeof schema;

/** Parameters of the methods that we call, in their order, besides `_this`. */
export const methods = {
  CloneVM_Task: ["folder", "name", "spec"],
  ContinueRetrievePropertiesEx: ["token"],
  CreateContainerView: ["container", "type", "recursive"],
  DeleteDatastoreFile_Task: ["name", "datacenter"],
  Destroy_Task: [],
  DestroyView: [],
  FindByInventoryPath: ["inventoryPath"],
  FindByUuid: ["datacenter", "uuid", "vmSearch", "instanceUuid"],
  GetCustomizationSpec: ["name"],
  HttpNfcLeaseAbort: [],
  HttpNfcLeaseComplete: [],
  HttpNfcLeaseProgress: ["percent"],
  ImportVApp: ["spec", "folder", "host"],
  Login: ["userName", "password", "locale"],
  Logout: [],
  MarkAsTemplate: [],
  PowerOffVM_Task: [],
  PowerOnVM_Task: ["host"],
  RebootGuest: [],
  RecommendDatastores: ["storageSpec"],
  ReconfigVM_Task: ["spec"],
  ResetVM_Task: [],
  RetrievePropertiesEx: ["specSet", "options"],
  RetrieveServiceContent: [],
  SetField: ["entity", "key", "value"],
  ShutdownGuest: [],
  SuspendVM_Task: [],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Method = keyof typeof methods;
