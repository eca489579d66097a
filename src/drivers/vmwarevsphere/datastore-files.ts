/** Files on a datastore: put there over HTTP, told whether they are there, and deleted. */
import { isNotFound } from "../../driver-kit/provider-error.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { baseUrl } from "./api/connection.ts";
import type { StreamedBody } from "../../system/http-request.ts";
import { datacenterOf, type Workplace } from "./workplace.ts";

/** `[datastore] folder/file`, as vSphere writes it. */
export interface DatastoreFile {
  readonly datastore: string;
  readonly path: string;
}

export function parseDatastorePath(text: string): DatastoreFile {
  const [, datastore = "", path = ""] = /^\[([^\]]*)\]\s*(.*)$/su.exec(text) ?? [];
  return { datastore, path };
}

export function datastorePath({ datastore, path }: DatastoreFile): string {
  return `[${datastore}] ${path}`;
}

/** The file's neighbour of another name: in the folder of a VM's `.vmx`. */
export function beside(vmPathName: string, name: string): DatastoreFile {
  const { datastore, path } = parseDatastorePath(vmPathName);
  return { datastore, path: path.includes("/") ? `${path.slice(0, path.lastIndexOf("/"))}/${name}` : name };
}

function urlOf({ config }: Workplace, { datastore, path }: DatastoreFile, isVCenter: boolean): string {
  const segments = path.split("/").map(encodeURIComponent).join("/");
  // A host by itself has one datacenter, which it calls so in addresses alone.
  const dcPath = isVCenter ? config.DatacenterPath : "ha-datacenter";
  return `${baseUrl(config)}/folder/${segments}?dcPath=${encodeURIComponent(dcPath)}&dsName=${encodeURIComponent(datastore)}`;
}

/** Replaces what is there. */
export async function putFile(
  place: Workplace,
  file: DatastoreFile,
  body: Uint8Array | StreamedBody,
  signal: AbortSignal,
): Promise<void> {
  const { api, context } = place;
  const { isVCenter } = await api.content(signal);
  const headers = { "content-type": "application/octet-stream" };
  const request = { method: "PUT", url: urlOf(place, file, isVCenter), headers, body, boundMs: context.operationMs } as const;
  const answer = await api.sendInSession(await api.transport(signal), request, signal);
  if (answer.status >= 200 && answer.status < 300) return;
  throw refusal(place, file, answer.status);
}

export async function hasFile(place: Workplace, file: DatastoreFile, signal: AbortSignal): Promise<boolean> {
  const { api } = place;
  const { isVCenter } = await api.content(signal);
  const request = { method: "HEAD", url: urlOf(place, file, isVCenter) } as const;
  const { status } = await api.sendInSession(await api.transport(signal), request, signal);
  if (status === 404) return false;
  if (status >= 200 && status < 300) return true;
  throw refusal(place, file, status);
}

/** Whether it was there. */
export async function deleteFile({ api, config }: Workplace, file: DatastoreFile, signal: AbortSignal): Promise<boolean> {
  const manager = (await api.content(signal)).manager("fileManager");
  try {
    await api.run("DeleteDatastoreFile_Task", manager, { name: datastorePath(file), datacenter: datacenterOf(config) }, signal);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return false;
  }
  return true;
}

function refusal({ config }: Workplace, file: DatastoreFile, status: number): MachineError {
  const what = datastorePath(file);
  if (status === 401 || status === 403)
    return new MachineError("provider-permission", `The user ${config.Username} may not write ${what} at ${config.IP}`, {
      hint: "The user needs Datastore.FileManagement and Datastore.Browse there; or give --vmwarevsphere-seed guestinfo for an image with VMware Tools.",
    });
  if (status === 507 || status >= 500)
    return new MachineError("provider-error", `${config.IP} could not take ${what}: it answered with status ${status}`, {
      hint: "The datastore may be full or away; look at the host's own log.",
    });
  return new MachineError("provider-error", `${config.IP} did not take ${what}: it answered with status ${status}`, {
    hint: "Check that the datastore is there and can be written to.",
  });
}
