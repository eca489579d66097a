/**
 * Items of content libraries, deployed by vCenter's REST API. That takes no instance UUID: between the deployment and the
 * change that gives the VM its own, what it is known by is its name together with the mark in its notes.
 */
import { createMark } from "../../driver-kit/marks.ts";
import { MachineError } from "../../errors/machine-error.ts";
import type { RestApi } from "./api/rest-api.ts";
import { typed, type Ref } from "./api/wire.ts";
import { annotationOf } from "./hardware.ts";
import type { Vm } from "./instance.ts";
import { driverName } from "./options.ts";
import { chooseDatastore } from "./placement.ts";
import { withRest } from "./rest.ts";
import { escapeSegment, findByPath } from "./search-index.ts";
import type { Workplace } from "./workplace.ts";

/** Its id. Throws `provider-not-found`. */
export async function findLibraryItem(place: Workplace, signal: AbortSignal): Promise<string> {
  const { ContentLibrary, CloneFrom } = place.config;
  return await withRest(place, signal, async (rest) => {
    const library = await find(rest, "library", { name: ContentLibrary }, signal);
    if (library === undefined) throw notThere(`no content library ${ContentLibrary}`, "content-library");
    const item = await find(rest, "library/item", { name: CloneFrom, library_id: library }, signal);
    if (item === undefined) throw notThere(`no item ${CloneFrom} in the content library ${ContentLibrary}`, "clone-from");
    return item;
  });
}

async function find(rest: RestApi, what: string, wanted: object, signal: AbortSignal): Promise<string | undefined> {
  const path = { api: `/api/content/${what}?action=find`, rest: `/rest/com/vmware/content/${what}?~action=find` };
  const api = await rest.send<readonly string[] | null>({ method: "POST", path, body: wanted, wrap: "spec", safe: true }, signal);
  return api?.[0];
}

function notThere(what: string, flag: string): MachineError {
  return new MachineError("provider-not-found", `vCenter has ${what}`, {
    hint: `Look at Menu, Content Libraries in vCenter for --${driverName}-${flag}.`,
  });
}

interface Deployment {
  readonly succeeded: boolean;
  readonly resource_id?: { readonly id: string } | null;
  readonly error?: {
    readonly errors?: readonly { readonly message?: { readonly default_message?: string }; readonly error?: object }[];
  } | null;
}

export async function deployItem(place: Workplace, signal: AbortSignal): Promise<Ref> {
  const { api, config, context } = place;
  const earlier = await findDeployed(place, [], signal);
  const ref = earlier?.ref ?? (await deploy(place, signal));
  config.VmRef = ref.value;
  await context.save();
  const spec = typed("VirtualMachineConfigSpec", { instanceUuid: config.InstanceUuid });
  await api.run("ReconfigVM_Task", ref, { spec }, signal);
  return ref;
}

async function deploy(place: Workplace, signal: AbortSignal): Promise<Ref> {
  const { config, context } = place;
  const datastore = await chooseDatastore(place, signal);
  const body = {
    deployment_spec: {
      name: context.machineName,
      annotation: annotationOf(place),
      accept_all_EULA: true,
      default_datastore_id: datastore.ref.value,
      storage_provisioning: "thin",
    },
    target: {
      resource_pool_id: config.PoolRef,
      folder_id: config.FolderRef,
      ...(config.HostRef === "" ? {} : { host_id: config.HostRef }),
    },
  };
  const path = {
    api: `/api/vcenter/ovf/library-item/${encodeURIComponent(config.SourceRef)}?action=deploy`,
    rest: `/rest/com/vmware/vcenter/ovf/library-item/id:${encodeURIComponent(config.SourceRef)}?~action=deploy`,
  };
  const deployed = await withRest(place, signal, async (rest) => {
    return await rest.send<Deployment>({ method: "POST", path, body, boundMs: context.operationMs }, signal);
  });
  const id = deployed.resource_id?.id;
  if (deployed.succeeded && id !== undefined) return { type: "VirtualMachine", value: id };
  const why =
    deployed.error?.errors?.map((one) => one.message?.default_message ?? JSON.stringify(one.error ?? {})).join("; ") ?? "";
  throw new MachineError("provider-invalid", `vCenter could not deploy ${config.CloneFrom}${why === "" ? "" : `: ${why}`}`, {
    hint: "Look at the task in vCenter; the item must be an OVF or OVA template.",
  });
}

/**
 * A VM that was deployed for this create, and has no instance UUID of ours yet: the one whose id the deployment gave, or, where
 * its answer was lost, the one of the machine's name with our mark in its notes.
 */
export async function findDeployed(place: Workplace, paths: readonly string[], signal: AbortSignal): Promise<Vm | undefined> {
  const { api, config, context } = place;
  const mark = createMark(context.createId);
  if (config.CreationType !== "library" || mark === undefined || config.Stage !== "" || config.FolderPath === "")
    return undefined;
  const recorded: Ref = { type: "VirtualMachine", value: config.VmRef };
  const where = `${config.FolderPath}/${escapeSegment(context.machineName)}`;
  const ref = config.VmRef === "" ? await findByPath(place, where, signal) : recorded;
  if (ref?.type !== "VirtualMachine") return undefined;
  const properties = await api.properties(ref, [...paths, "config.annotation"], signal);
  return properties?.get("config.annotation")?.text === annotationOf(place) ? { ref, properties } : undefined;
}
