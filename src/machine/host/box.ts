/**
 * The box that a machine was made of, where it stood before. Two machines that are one box are each set up by what its own
 * record says, and one that is removed with `--restore` takes the engine of the other along.
 */
import type { BaseConfig } from "../../driver-kit/base-config.ts";
import type { DriverCapabilities } from "../../driver-kit/driver.ts";
import { formatHostPort } from "../../engine/engine-address.ts";
import { driverNameOf } from "../../store/host-record.ts";
import type { MachineContext } from "../machine-context.ts";
import type { Host } from "./host.ts";

/** What all configurations of such drivers have. */
type BoxConfig = Readonly<Partial<Record<keyof Pick<BaseConfig, "IPAddress" | "SSHPort"> | "SSHConfigHost", unknown>>>;

export function areBoxes({ adopted, provisionable, opaque }: DriverCapabilities): boolean {
  return adopted && provisionable && opaque !== true;
}

/**
 * Where its SSH is reached, as text to compare and to show. Who names one box by two names, or reaches it by two ways, is
 * not seen through; the same address behind another entry of ssh_config is another box.
 * Undefined where it has no address.
 * @param config a driver's configuration, of a driver for which {@link areBoxes}
 */
export function boxIn(config: object): string | undefined {
  const { IPAddress, SSHPort, SSHConfigHost } = config as BoxConfig;
  if (typeof IPAddress !== "string" || IPAddress === "") return undefined;
  const port = typeof SSHPort === "number" && SSHPort !== 0 ? SSHPort : 22;
  const place = formatHostPort({ host: IPAddress.toLowerCase(), port });
  return typeof SSHConfigHost === "string" && SSHConfigHost !== "" ? `${place} by ${SSHConfigHost}` : place;
}

/** What speaks against a new machine that is the box of others: a sentence; undefined where nothing does. */
export async function sharedBoxWarning(
  { store }: Pick<MachineContext, "store">,
  { name, module, driver }: Pick<Host, "name" | "module" | "driver">,
): Promise<string | undefined> {
  if (!areBoxes(module.capabilities)) return undefined;
  const box = boxIn(JSON.parse(await driver.configText()) as object);
  if (box === undefined) return undefined;
  const looks = await store.facts((facts) => driverNameOf(facts) === module.name && boxIn(facts.driver) === box);
  const others = looks.flatMap((look) => (look.value === true && look.name !== name ? [look.name] : []));
  return others.length === 0 ? undefined : describeSharedBox(name, others.toSorted(), box);
}

export function describeSharedBox(name: string, others: readonly string[], box: string): string {
  return `"${name}" is the box of ${others.map((other) => `"${other}"`).join(", ")} too, ${box}: each would be set up as its own record says`;
}
