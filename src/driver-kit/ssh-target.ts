/** Where a driver's machine is reached by SSH, as the driver tells it now. */
import { MachineError } from "../errors/machine-error.ts";
import type { SshTarget } from "../ssh/executor.ts";
import type { Driver } from "./driver.ts";

/** What the driver does not know: which host keys are believed, and how long a connection may take. */
export type SshTerms = Pick<SshTarget, "hostKeys" | "connectTimeoutMs">;

/** Throws `driver-unsupported` where the driver knows no address, as `none` never does. */
export async function sshTargetOf(driver: Driver, machineName: string, terms: SshTerms): Promise<SshTarget> {
  const hostName = await driver.getSshHostname();
  if (hostName === "" && driver.sshConfigHost === undefined) {
    throw new MachineError(
      "driver-unsupported",
      `No SSH address is known for "${machineName}"; its driver is ${driver.driverName}`,
      { hint: "Log in to it as you do without this program, or adopt it under another name with: --driver generic" },
    );
  }
  const keyPath = await driver.getSshKeyPath();
  return {
    hostName,
    port: await driver.getSshPort(),
    userName: await driver.getSshUsername(),
    identityFile: keyPath === "" ? undefined : keyPath,
    configHost: driver.sshConfigHost,
    ...terms,
  };
}

/** False of a machine that nobody logs in to from here. Who cannot tell the address just now is taken to have one. */
export async function hasSshAddress(driver: Pick<Driver, "getSshHostname" | "sshConfigHost">): Promise<boolean> {
  if (driver.sshConfigHost !== undefined) return true;
  return await driver.getSshHostname().then(
    (address) => address !== "",
    () => true,
  );
}
