/** What administrators of a vCenter set up beforehand: a content library with an item, tags, custom attributes. */
import type { FakeVcenter } from "./vcenter.ts";
import { password, user } from "./vcsim.ts";

export interface Administration {
  /** An item of a new library, by their names. */
  addItem(library: string, item: string): Promise<void>;
  /** The id of a new tag. */
  addTag(name: string): Promise<string>;
  /** The VMs, by their ids, that have a tag. */
  tagged(tag: string): Promise<readonly string[]>;
}

export async function administrationOf(vcenter: FakeVcenter): Promise<Administration> {
  const basic = Buffer.from(`${user}:${password}`).toString("base64");
  const send = async (method: string, path: string, body: string, headers: Record<string, string>): Promise<unknown> => {
    const answer = await fetch(`${vcenter.simulator}${path}`, { method, body, headers });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    return text === "" ? undefined : (JSON.parse(text) as { readonly value?: unknown }).value;
  };
  const session = String(await send("POST", "/rest/com/vmware/cis/session", "", { authorization: `Basic ${basic}` }));
  const ask = async <Answer>(path: string, body: object, method = "POST"): Promise<Answer> =>
    (await send(method, `/rest/com/vmware${path}`, JSON.stringify(body), { "vmware-api-session-id": session })) as Answer;
  return {
    addItem: async (library, item) => {
      const datastore_id = await vcenter.lab<string>("datastore", { name: "LocalDS_0" });
      const storage_backings = [{ datastore_id, type: "DATASTORE" }];
      const library_id = await ask<string>("/content/local-library", {
        create_spec: { name: library, type: "LOCAL", storage_backings },
      });
      const library_item_id = await ask<string>("/content/library/item", {
        create_spec: { library_id, name: item, type: "ovf" },
      });
      const update = await ask<string>("/content/library/item/update-session", { create_spec: { library_item_id } });
      const file_spec = { name: `${item}.ovf`, source_type: "PUSH", size: ovf.length };
      const added = await ask<{ upload_endpoint: { uri: string } }>(
        `/content/library/item/updatesession/file/id:${update}?~action=add`,
        { file_spec },
      );
      await send("PUT", new URL(added.upload_endpoint.uri).pathname, ovf, {
        "content-type": "application/octet-stream",
        "vmware-api-session-id": session,
      });
      await ask(`/content/library/item/update-session/id:${update}?~action=complete`, {});
    },
    addTag: async (name) => {
      const category = { name: `of ${name}`, description: "", cardinality: "SINGLE", associable_types: [] };
      const category_id = await ask<string>("/cis/tagging/category", { create_spec: category });
      return await ask<string>("/cis/tagging/tag", { create_spec: { name, description: "", category_id } });
    },
    tagged: async (tag) => {
      const objects = await ask<readonly { readonly id: string }[]>(
        `/cis/tagging/tag-association/id:${tag}?~action=list-attached-objects`,
        {},
      );
      return objects.map(({ id }) => id);
    },
  };
}

const rasd = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData";
/** A small machine with one disk and one card. */
const ovf = [
  `<?xml version="1.0"?><Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="${rasd}" xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData">`,
  '<References><File ovf:href="disk.vmdk" ovf:id="file1" ovf:size="65536"/></References>',
  '<DiskSection><Info/><Disk ovf:capacity="1" ovf:capacityAllocationUnits="byte * 2^30" ovf:diskId="vmdisk1" ovf:fileRef="file1" ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/></DiskSection>',
  '<NetworkSection><Info/><Network ovf:name="VM Network"><Description/></Network></NetworkSection>',
  '<VirtualSystem ovf:id="t"><Info/><Name>t</Name><OperatingSystemSection ovf:id="94"><Info/></OperatingSystemSection><VirtualHardwareSection><Info/>',
  "<System><vssd:ElementName>x</vssd:ElementName><vssd:InstanceID>0</vssd:InstanceID><vssd:VirtualSystemIdentifier>t</vssd:VirtualSystemIdentifier><vssd:VirtualSystemType>vmx-10</vssd:VirtualSystemType></System>",
  "<Item><rasd:ElementName>1 cpu</rasd:ElementName><rasd:InstanceID>1</rasd:InstanceID><rasd:ResourceType>3</rasd:ResourceType><rasd:VirtualQuantity>1</rasd:VirtualQuantity></Item>",
  "<Item><rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits><rasd:ElementName>mem</rasd:ElementName><rasd:InstanceID>2</rasd:InstanceID><rasd:ResourceType>4</rasd:ResourceType><rasd:VirtualQuantity>512</rasd:VirtualQuantity></Item>",
  "<Item><rasd:Address>0</rasd:Address><rasd:ElementName>scsi0</rasd:ElementName><rasd:InstanceID>3</rasd:InstanceID><rasd:ResourceSubType>VirtualSCSI</rasd:ResourceSubType><rasd:ResourceType>6</rasd:ResourceType></Item>",
  "<Item><rasd:AddressOnParent>0</rasd:AddressOnParent><rasd:ElementName>disk0</rasd:ElementName><rasd:HostResource>ovf:/disk/vmdisk1</rasd:HostResource><rasd:InstanceID>4</rasd:InstanceID><rasd:Parent>3</rasd:Parent><rasd:ResourceType>17</rasd:ResourceType></Item>",
  "<Item><rasd:AddressOnParent>7</rasd:AddressOnParent><rasd:Connection>VM Network</rasd:Connection><rasd:ElementName>eth0</rasd:ElementName><rasd:InstanceID>5</rasd:InstanceID><rasd:ResourceSubType>VmxNet3</rasd:ResourceSubType><rasd:ResourceType>10</rasd:ResourceType></Item>",
  "</VirtualHardwareSection></VirtualSystem></Envelope>",
].join("");
