/** Host keys that a driver knows: pinned before the first contact, and replaced after it where others could read them. */
import type { Report } from "../../log/event.ts";
import type { HostKeyRenewal } from "../../provision/provision-context.ts";
import { loadPinnedKeys, pinHostKeys, pinInjectedHostKeys } from "../../ssh/host-keys.ts";
import { parsePublicKey, type PublicKey } from "../../ssh/public-key.ts";
import type { Host } from "./host.ts";

/**
 * Makes the driver's keys those that the machine must present. Where keys are replaced after the first contact, an
 * earlier command may have got so far: then what is pinned stays beside them until they are replaced once more.
 * @param report told which keys those are
 */
export async function pinDriverKeys(host: Host, report: Report = host.report): Promise<void> {
  const keys = await host.driver.hostKeys?.();
  if (keys === undefined || keys === "none") return;
  const { hostKeys } = await host.sshTarget();
  const pinned = host.driver.hostKeysExposed === true ? await loadPinnedKeys(hostKeys) : [];
  await pinInjectedHostKeys(hostKeys, keys, report, pinned);
}

/**
 * What gives a machine host keys that were never anywhere else; undefined where those it has were not. Both sets are
 * pinned while the change is under way, so that a cut-off one locks nobody out; then the driver withdraws what was needed
 * for the first contact.
 */
export async function hostKeyRenewal(host: Host, signal: AbortSignal): Promise<HostKeyRenewal | undefined> {
  if (host.driver.hostKeysExposed !== true) return undefined;
  const { hostKeys } = await host.sshTarget();
  const exposed = await loadPinnedKeys(hostKeys);
  let fresh: readonly PublicKey[] = [];
  return {
    made: async (lines) => {
      fresh = lines.map(parsePublicKey).filter((key) => key !== undefined);
      await pinHostKeys(hostKeys, [...exposed, ...fresh]);
    },
    inUse: async () => {
      await pinHostKeys(hostKeys, fresh);
      await host.driver.withdrawSecrets?.(signal);
      await host.save();
    },
  };
}
