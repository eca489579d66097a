/** Tags and custom attributes of the VM. Both are told by ids, and are set again without harm. */
import { failureKindOf } from "../../driver-kit/provider-error.ts";
import { MachineError } from "../../errors/machine-error.ts";
import type { Vm } from "./instance.ts";
import { driverName, pairOf } from "./options.ts";
import { withRest } from "./rest.ts";
import type { Workplace } from "./workplace.ts";

export async function attachLabels(place: Workplace, vm: Vm, signal: AbortSignal): Promise<void> {
  const { api, config } = place;
  if (config.CustomAttributes.length > 0) {
    const manager = (await api.content(signal)).manager("customFieldsManager");
    for (const [key, value] of config.CustomAttributes.map(pairOf))
      await api.call("SetField", manager, { entity: vm.ref, key, value }, signal);
  }
  if (config.Tags.length > 0) await attachTags(place, vm, signal);
}

async function attachTags(place: Workplace, vm: Vm, signal: AbortSignal): Promise<void> {
  await withRest(place, signal, async (rest) => {
    for (const tag of place.config.Tags) {
      const id = encodeURIComponent(tag);
      const path = {
        api: `/api/cis/tagging/tag-association/${id}?action=attach`,
        rest: `/rest/com/vmware/cis/tagging/tag-association/id:${id}?~action=attach`,
      };
      const body = { object_id: { id: vm.ref.value, type: vm.ref.type } };
      try {
        await rest.send({ method: "POST", path, body, safe: true }, signal);
      } catch (error) {
        if (failureKindOf(error) !== "not-found") throw error;
        throw new MachineError("provider-not-found", `vCenter has no tag ${tag}`, {
          cause: error,
          hint: `Look at its id (govc tags.info), and give that by --${driverName}-tag; the machine is removed by: docker-machine rm ${place.context.machineName}`,
        });
      }
    }
  });
}
