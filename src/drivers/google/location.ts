/** Where an instance is, and the host keys that its guest has told Google. */
import { failureKindOf } from "../../driver-kit/provider-error.ts";
import { logTo } from "../../log/event.ts";
import type { Instance } from "./api.ts";
import { instancePath, requireInstance, type Workplace } from "./workplace.ts";

/** The guest tells them as soon as it has a network, before its SSH server is up. */
export const hostKeysMs = 90_000;

export class Location {
  readonly #place: Workplace;
  #askedSinceMs: number | undefined;

  constructor(place: Workplace) {
    this.#place = place;
  }

  /** No address is told before the host keys are known, or are not waited for any longer: the core asks again. */
  async locate(signal: AbortSignal): Promise<void> {
    const { config } = this.#place;
    const instance = await requireInstance(this.#place, signal);
    // A machine of another tool had its first contact long ago.
    const areKnown = config.HostKeysAsked || config.InstanceNumericId === "" || (await this.#askForHostKeys(signal));
    config.HostKeysAsked = areKnown;
    config.IPAddress = areKnown ? addressOf(instance, config.UseInternalIP) : "";
  }

  /** Whether there is no reason to ask again. The guest's own word counts for more than what it was given. */
  async #askForHostKeys(signal: AbortSignal): Promise<boolean> {
    const { clock, report } = this.#place.context;
    const { config } = this.#place;
    this.#askedSinceMs ??= clock.monotonicMs();
    const told = await this.#toldKeys(signal);
    if (told.length > 0) {
      const isOurs = config.HostKeys.length > 0 && config.HostKeys.every((key) => told.includes(key));
      if (!isOurs) config.KeysInUserData = false;
      config.HostKeys = [...told];
      return true;
    }
    if (clock.monotonicMs() - this.#askedSinceMs < hostKeysMs) return false;
    if (config.HostKeys.length === 0)
      logTo(report, "warn", "Google told no host keys of the instance: its first connection cannot be verified");
    return true;
  }

  /** Empty while there are none, and where a policy keeps them: then they are waited for in vain. */
  async #toldKeys(signal: AbortSignal): Promise<readonly string[]> {
    const { api } = this.#place;
    try {
      const query = { queryPath: "hostkeys/" };
      const found = await api.find<GuestAttributes>(`${instancePath(this.#place)}/getGuestAttributes`, signal, query);
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
}

interface GuestAttributes {
  readonly queryValue?: { readonly items?: readonly { readonly key: string; readonly value: string }[] } | undefined;
}

function addressOf({ networkInterfaces = [] }: Instance, isInternal: boolean): string {
  const [first] = networkInterfaces;
  return (isInternal ? first?.networkIP : first?.accessConfigs?.[0]?.natIP) ?? "";
}
