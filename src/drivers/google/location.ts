/** Where an instance is, and the host keys that its guest has told Google. */
import { failureKindOf } from "../../driver-kit/provider-error.ts";
import { logTo } from "../../log/event.ts";
import type { Instance } from "./api.ts";
import { instancePath, requireInstance, type Workplace } from "./workplace.ts";

/** The guest tells them as soon as it has a network, before its SSH server is up. */
export const hostKeysMs = 90_000;

/** Since when a guest is asked for its host keys: the core asks for its address again and again until they are there. */
const askedSinceMs = new WeakMap<Workplace, number>();

/** No address is told before the host keys are known, or are not waited for any longer: the core asks again. */
export async function locate(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config } = place;
  const instance = await requireInstance(place, signal);
  // A machine of another tool had its first contact long ago.
  const areKnown = config.HostKeysAsked || config.InstanceNumericId === "" || (await askForHostKeys(place, signal));
  config.HostKeysAsked = areKnown;
  config.IPAddress = areKnown ? addressOf(instance, config.UseInternalIP) : "";
}

/** Whether there is no reason to ask again. The guest's own word counts for more than what it was given. */
async function askForHostKeys(place: Workplace, signal: AbortSignal): Promise<boolean> {
  const { config, context } = place;
  const sinceMs = askedSinceMs.get(place) ?? context.clock.monotonicMs();
  askedSinceMs.set(place, sinceMs);
  const told = await toldKeys(place, signal);
  if (told.length > 0) {
    const isOurs = config.HostKeys.length > 0 && config.HostKeys.every((key) => told.includes(key));
    if (!isOurs) config.KeysInUserData = false;
    config.HostKeys = [...told];
    return true;
  }
  if (context.clock.monotonicMs() - sinceMs < hostKeysMs) return false;
  if (config.HostKeys.length === 0)
    logTo(context.report, "warn", "Google told no host keys of the instance: its first connection cannot be verified");
  return true;
}

/** Empty while there are none, and where a policy keeps them: then they are waited for in vain. */
async function toldKeys(place: Workplace, signal: AbortSignal): Promise<readonly string[]> {
  try {
    const query = { queryPath: "hostkeys/" };
    const found = await place.api.find<GuestAttributes>(`${instancePath(place)}/getGuestAttributes`, signal, query);
    return (found?.queryValue?.items ?? []).flatMap(({ key, value }) =>
      /^(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-\S+)$/u.test(key) && /^[A-Za-z0-9+/=]+$/u.test(value.trim())
        ? [`${key} ${value.trim()}`]
        : [],
    );
  } catch (error) {
    const kind = failureKindOf(error);
    if (kind === "permission" || kind === "busy" || kind === "invalid" || kind === "unsupported") return [];
    throw error;
  }
}

interface GuestAttributes {
  readonly queryValue?: { readonly items?: readonly { readonly key: string; readonly value: string }[] } | undefined;
}

function addressOf({ networkInterfaces = [] }: Instance, isInternal: boolean): string {
  const [first] = networkInterfaces;
  return (isInternal ? first?.networkIP : first?.accessConfigs?.[0]?.natIP) ?? "";
}
