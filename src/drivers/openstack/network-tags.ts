/** Tags on what Neutron keeps, where the cloud has them: the mark, and what `--openstack-metadata` says. */
import { failureKindOf } from "../../driver-kit/provider-error.ts";
import { createMark } from "../../driver-kit/marks.ts";
import { logTo } from "../../log/event.ts";
import { metadataOf } from "./options.ts";
import type { Workplace } from "./workplace.ts";

/** Of Neutron's oldest versions. */
const longestTag = 60;

/** @param path of the thing: `/floatingips/ID`. Nothing depends on tags: what is ours is known by its description. */
export async function tagThing({ api, config, context }: Workplace, path: string, signal: AbortSignal): Promise<void> {
  const pairs = Object.entries(metadataOf(config)).map(([key, value]) => `${key}=${value}`);
  const mark = createMark(context.createId);
  const tags = [...(mark === undefined ? [] : [mark.word]), ...pairs].filter(
    (tag) => tag.length <= longestTag && !/[/,]/u.test(tag),
  );
  try {
    await api.send("network", { method: "PUT", path: `${path}/tags`, body: { tags } }, signal);
  } catch (error) {
    const kind = failureKindOf(error);
    if (kind !== "not-found" && kind !== "permission" && kind !== "invalid") throw error;
    logTo(context.report, "debug", `The cloud does not tag ${path}`);
  }
}
