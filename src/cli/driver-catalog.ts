/** Which drivers there are: the built-in ones and, by name, plugins. Part of the composition root. */
import type { CreateFlag } from "../driver-kit/flags.ts";
import type { DriverModule } from "../driver-kit/driver.ts";
import { builtinDrivers } from "../drivers/registry.ts";
import { MachineError } from "../errors/machine-error.ts";

/** The built-in driver of that name, if there is one. */
export async function findBuiltinDriver(name: string): Promise<DriverModule | undefined> {
  return Object.hasOwn(builtinDrivers, name) ? await builtinDrivers[name as keyof typeof builtinDrivers]() : undefined;
}

/** A driver's create flags. Throws `driver-not-found` with 0.16.2's sentence. */
export async function flagsOfDriver(name: string): Promise<readonly CreateFlag[]> {
  const builtin = await findBuiltinDriver(name);
  if (builtin !== undefined) return builtin.flags;
  throw new MachineError(
    "driver-not-found",
    `Driver "${name}" not found. Do you have the plugin binary "docker-machine-driver-${name}" accessible in your PATH?`,
  );
}
