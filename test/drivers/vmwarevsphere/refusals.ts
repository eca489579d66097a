/** What a real vCenter would not do, and the simulator does, or breaks down at. */
import { childOf, textOf, type XmlElement } from "../../../src/drivers/vmwarevsphere/api/xml.ts";
import type { Fault } from "./vcenter.ts";
import type { LabState } from "./vcsim.ts";

/** Methods that make a VM. */
export const makes: ReadonlySet<string> = new Set(["CloneVM_Task", "ImportVApp", "CreateVM_Task"]);

export function refusalOf(call: XmlElement, { vms, datastores }: LabState, hasTools: boolean): Fault | undefined {
  const method = call.name;
  if ((method === "ShutdownGuest" || method === "RebootGuest") && !hasTools) return { method, fault: "ToolsUnavailable" };
  if (!makes.has(method)) return undefined;
  const config = childOf(call, "spec", "configSpec") ?? childOf(call, "config");
  const name = method === "CloneVM_Task" ? textOf(call, "name") : textOf(config, "name");
  const store = /^\[([^\]]*)\]/u.exec(textOf(config, "files", "vmPathName"))?.[1];
  if (store !== undefined && store !== "" && !(store in datastores)) return { method, fault: "InvalidDatastorePath" };
  const folder = textOf(call, "folder");
  const taken = vms.find((vm) => vm.name === name && vm.folder === folder);
  if (taken === undefined) return undefined;
  const members = `<name>${name}</name><object type="VirtualMachine">${taken.ref}</object>`;
  return { method, fault: "DuplicateName", members, ...(method === "ImportVApp" ? {} : { inTask: true }) };
}
