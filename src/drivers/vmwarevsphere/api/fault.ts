/** What vSphere's refusals mean: its faults are types, and say by their members what they are about. */
import type { HttpAnswer } from "../../../driver-kit/http-transport.ts";
import { kindOfStatus, type FailureKind, type FailureRow, type ProviderFailure } from "../../../driver-kit/provider-error.ts";
import { childOf, textOf, type XmlElement, type XmlParser } from "./xml.ts";

/** What the account of a machine must be allowed (https://docs.vmware.com, "Defined Privileges"). */
const privileges =
  "Datastore.AllocateSpace, Datastore.Browse, Datastore.FileManagement, Network.Assign, Resource.AssignVMToPool, VApp.Import, " +
  "VirtualMachine.Inventory.* , VirtualMachine.Config.*, VirtualMachine.Interact.PowerOn, .PowerOff, .SetCDMedia, .DeviceConnection, " +
  "VirtualMachine.Provisioning.Clone, .DeployTemplate, .MarkAsTemplate; with tags InventoryService.Tagging.AttachTag";

interface FaultRow {
  readonly kind: FailureKind;
  readonly sentence: string;
  readonly hint?: string;
}

const noRoom = "Free some, or choose another --vmwarevsphere-datastore.";
const noCapacity = "Choose another --vmwarevsphere-pool or --vmwarevsphere-hostsystem, or a smaller machine.";
const isGone = { kind: "not-found", sentence: "vSphere does not have it any more" } as const;

/** By the fault's type (vSphere Web Services API, "Faults"). */
const faults: Readonly<Record<string, FaultRow>> = {
  InvalidLogin: {
    kind: "credentials",
    sentence: "{host} does not accept the user {user} or the password",
    hint: "Check them. A machine that exists takes another password by: docker-machine config set {machine} vmwarevsphere-password",
  },
  NoPermission: {
    kind: "permission",
    sentence: "The user {user} may not do this at {host}",
    hint: `Give the user a role that has it, on the object and what it belongs to. A machine needs ${privileges}.`,
  },
  NotAuthenticated: { kind: "credentials", sentence: "The session at {host} has ended", hint: "Run the command again." },
  DuplicateName: {
    kind: "exists",
    sentence: "A VM named {machine} exists already in the folder, and is not this machine's",
    hint: "Choose another name or --vmwarevsphere-folder; what is there is left alone.",
  },
  AlreadyExists: { kind: "exists", sentence: "vSphere has it already" },
  FileAlreadyExists: { kind: "exists", sentence: "The datastore has the file already" },
  ManagedObjectNotFound: isGone,
  NotFound: isGone,
  FileNotFound: { kind: "not-found", sentence: "The datastore does not have the file" },
  NoDiskSpace: { kind: "capacity", sentence: "The datastore is full", hint: noRoom },
  InsufficientStorageSpace: { kind: "capacity", sentence: "The datastore has not enough room", hint: noRoom },
  InsufficientDisks: { kind: "capacity", sentence: "The datastore has not enough room", hint: noRoom },
  TaskInProgress: { kind: "busy", sentence: "vSphere is still at work on the VM", hint: "Try again in a minute." },
  ConcurrentAccess: { kind: "busy", sentence: "Somebody else changes the VM at this moment", hint: "Try again in a minute." },
  ToolsUnavailable: {
    kind: "unsupported",
    sentence: "VMware Tools do not run in the guest",
    hint: "Install open-vm-tools there, or use kill in the place of stop.",
  },
  InvalidPowerState: { kind: "invalid", sentence: "The VM is in another state" },
  RestrictedVersion: {
    kind: "account",
    sentence: "The licence of {host} does not allow changes through its API",
    hint: "The free ESXi cannot be used; license it, or use a vCenter.",
  },
  MethodNotFound: {
    kind: "unsupported",
    sentence: "{host} does not know what it was asked for",
    hint: "vSphere 6.5 or newer is needed.",
  },
  InvalidRequest: { kind: "unsupported", sentence: "{host} does not take the request", hint: "vSphere 6.5 or newer is needed." },
  InvalidDatastorePath: { kind: "not-found", sentence: "vSphere does not have this datastore or path" },
  UncustomizableGuest: {
    kind: "unsupported",
    sentence: "vSphere cannot customise this guest",
    hint: "The template needs VMware Tools and perl; leave --vmwarevsphere-customization out to have cloud-init alone at work.",
  },
};

const byPattern: readonly FailureRow[] = [
  {
    codes: [/^Insufficient.*(?:Resources|Capacity|Cpu|Memory)/u, "NoCompatibleHost", "NumVirtualCpusNotSupported"],
    kind: "capacity",
    sentence: "No host has room for the machine",
    hint: noCapacity,
  },
  {
    codes: [/^(?:HostCommunication|HostNotConnected|HostNotReachable|SystemError|RuntimeFault)$/u],
    kind: "server",
    sentence: "vSphere failed",
  },
];

export const failureTable: readonly FailureRow[] = [
  ...Object.entries(faults).map(([type, row]) => ({ codes: [type], ...row })),
  ...byPattern,
];

/** For `HttpApi`. Takes any text: a proxy's HTML too. */
export function explainWith(parse: XmlParser): (answer: HttpAnswer) => ProviderFailure {
  return (answer) => {
    const fault = readFault(answer.text, parse);
    return fault ?? { kind: kindOfStatus(answer.status), code: "", message: answer.text.startsWith("<") ? "" : answer.text };
  };
}

function readFault(text: string, parse: XmlParser): ProviderFailure | undefined {
  try {
    const fault = childOf(parse(text), "Body", "Fault");
    const detail = childOf(fault, "detail")?.children[0];
    if (fault === undefined || detail === undefined) return undefined;
    return failureOf(detail, textOf(fault, "faultstring"));
  } catch {
    return undefined;
  }
}

/** A fault by its element, of an answer, a task, or a property that is missing. @param words as vSphere put it for people */
export function failureOf(fault: XmlElement, words: string): ProviderFailure {
  const code = fault.xsiType ?? fault.name.replace(/Fault$/u, "");
  return { kind: "invalid", code, message: [detailOf(fault), told(words)].filter((part) => part !== "").join(", ") };
}

/** Simulators and old servers put the name of a type, or an empty text, there. */
function told(words: string): string {
  return words.startsWith("*types.") ? "" : words;
}

function detailOf(fault: XmlElement): string {
  const about = ["privilegeId", "invalidProperty", "property", "name", "file", "datastore", "existingState"];
  const found = about.map((name) => textOf(fault, name)).filter((value) => value !== "");
  const object = childOf(fault, "object");
  return [...found, ...(object === undefined ? [] : [`on ${object.type ?? ""} ${object.text}`])].join(" ");
}
