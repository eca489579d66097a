/** Changing the metadata of an instance that others may change at the same time: Google tells by a fingerprint. */
import { failureKindOf } from "../../driver-kit/provider-error.ts";
import type { Instance, MetadataItem } from "./api.ts";
import { instancePath, requireInstance, type Workplace } from "./workplace.ts";

const mostAttempts = 5;

/** @param change gives the items as they are to be; the same list where nothing is to be done */
export async function changeMetadata(
  place: Workplace,
  change: (items: readonly MetadataItem[]) => readonly MetadataItem[],
  signal: AbortSignal,
): Promise<void> {
  await changeByFingerprint(
    place,
    "setMetadata",
    ({ metadata }) => {
      const before = metadata?.items ?? [];
      const items = change(before);
      return items === before ? undefined : { items, fingerprint: metadata?.fingerprint };
    },
    signal,
  );
}

/** @param body of the request, from the instance as it is; undefined = there is nothing to change */
export async function changeByFingerprint(
  place: Workplace,
  verb: "setMetadata" | "setTags",
  body: (instance: Instance) => object | undefined,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const wanted = body(await requireInstance(place, signal));
    if (wanted === undefined) return;
    const request = { method: "POST", path: `${instancePath(place)}/${verb}`, body: wanted, retry: { attempts: 1 } } as const;
    try {
      return await place.api.operate(request, signal);
    } catch (error) {
      if (failureKindOf(error) !== "busy" || attempt === mostAttempts) throw error;
    }
  }
}
