/** What provisioning is given of a machine that is connected to. */
import type { ProvisionContext } from "../../provision/provision-context.ts";
import type { SshExecutor } from "../../ssh/executor.ts";
import type { MachineContext } from "../machine-context.ts";
import type { Host } from "./host.ts";

export function provisionContext(context: MachineContext, host: Host, ssh: SshExecutor, signal: AbortSignal): ProvisionContext {
  return { ssh, clock: context.clock, report: host.report, signal, bounds: context.timeouts };
}
