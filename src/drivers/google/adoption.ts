/** `--google-use-existing`: an instance of somebody's that becomes a machine, and stays when the machine goes. */
import { logTo } from "../../log/event.ts";
import type { Instance, MetadataItem } from "./api.ts";
import { ensureFirewall, firewallTag } from "./firewall.ts";
import { loginLine } from "./guest.ts";
import { changeByFingerprint, changeMetadata } from "./metadata-change.ts";
import { instanceNameOf, namedInstance, ownInstance, requireInstance, type Workplace } from "./workplace.ts";

const keysItem = "ssh-keys";

/** Gives it the machine's key and the firewall's tag, besides what it has. */
export async function adoptInstance(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config, context } = place;
  const { privateKeyPath, publicKey } = await context.ensureSshKey();
  config.SSHKeyPath = privateKeyPath;
  config.InstanceName = context.machineName;
  config.InstanceNumericId = (await instanceToAdopt(place, signal)).id;
  await context.save();
  await ensureFirewall(place, signal);
  if (!config.SkipFirewall) await changeTags(place, (tags, tag) => (tags.includes(tag) ? tags : [...tags, tag]), signal);
  const line = loginLine(config.SSHUser, publicKey);
  await changeKeys(place, (lines) => (lines.includes(line) ? lines : [...lines, line]), signal);
}

/** While none is recorded, the one that has the name. */
async function instanceToAdopt(place: Workplace, signal: AbortSignal): Promise<Instance> {
  const named = place.config.InstanceNumericId === "" ? await namedInstance(place, signal) : undefined;
  return named ?? (await requireInstance(place, signal));
}

/** Takes back what {@link adoptInstance} gave; the shared tag stays, since others may go by it. */
export async function releaseInstance(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config, context } = place;
  if (config.InstanceNumericId === "" || (await ownInstance(place, signal)) === undefined) return;
  const { publicKey } = await context.ensureSshKey();
  const line = loginLine(config.SSHUser, publicKey);
  await changeKeys(place, (lines) => (lines.includes(line) ? lines.filter((one) => one !== line) : lines), signal);
  if (config.OpenCidrs.length > 0)
    await changeTags(place, (tags, tag) => (tags.includes(tag) ? tags.filter((one) => one !== tag) : tags), signal);
  logTo(
    context.report,
    "info",
    `The instance ${instanceNameOf(place)} was there before: it is kept, without this machine's SSH key.`,
  );
}

async function changeKeys(
  place: Workplace,
  change: (lines: readonly string[]) => readonly string[],
  signal: AbortSignal,
): Promise<void> {
  await changeMetadata(
    place,
    (items) => {
      const before = (items.find(({ key }) => key === keysItem)?.value ?? "").split("\n").filter((line) => line.trim() !== "");
      const after = change(before);
      if (after === before) return items;
      const others = items.filter(({ key }) => key !== keysItem);
      const item: readonly MetadataItem[] = after.length === 0 ? [] : [{ key: keysItem, value: after.join("\n") }];
      return [...others, ...item];
    },
    signal,
  );
}

async function changeTags(
  place: Workplace,
  change: (tags: readonly string[], tag: string) => readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const tag = firewallTag(place);
  await changeByFingerprint(
    place,
    "setTags",
    ({ tags }) => {
      const before = tags?.items ?? [];
      const items = change(before, tag);
      return items === before ? undefined : { items, fingerprint: tags?.fingerprint };
    },
    signal,
  );
}
