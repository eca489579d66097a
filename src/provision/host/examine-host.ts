/** A host as the doctor looks at it: all facts in one round trip, two where sudo has a recorded password. Changes nothing. */
import { isMachineError, type MachineError } from "../../errors/machine-error.ts";
import { detectFamily } from "../families/detect-family.ts";
import { healthFrom, type HealthFacts } from "../facts/health-facts.ts";
import { healthScript, type HealthQuestions } from "../facts/health-script.ts";
import type { HostFacts } from "../facts/facts.ts";
import { probeScript } from "../facts/probe-script.ts";
import { framedScript } from "../shell/script-protocol.ts";
import { planProvision, type Plan } from "../plan/plan.ts";
import { defaultBounds, type ProvisionBounds, type ProvisionContext } from "../provision-context.ts";
import type { ProvisionRequest } from "../provision-request.ts";
import { HostShell } from "./host-shell.ts";
import { lookAtHost } from "./probe-host.ts";

export interface Examination {
  readonly facts: HostFacts;
  readonly health: HealthFacts;
  /** What provisioning would change there; or why it would refuse. */
  readonly plan: Plan | MachineError;
}

/** The one script that an examination runs, as it reaches the shell. */
export function examinationScript(
  { engine: { port } }: Pick<ProvisionRequest, "engine">,
  given: Partial<ProvisionBounds> | undefined,
  questions: HealthQuestions,
): string {
  const { queryMs } = { ...defaultBounds, ...given };
  return framedScript(probeScript({ port, queryMs }, healthScript(questions)));
}

/** Throws what the connection throws, `remote-command` where no shell runs, `sudo-required`. */
export async function examineHost(
  request: ProvisionRequest,
  context: ProvisionContext,
  questions: HealthQuestions,
): Promise<Examination> {
  const bounds = { ...defaultBounds, ...context.bounds };
  const shell = new HostShell(request.machineName, context);
  const { facts, raw } = await lookAtHost(shell, request, context, bounds, healthScript(questions));
  return { facts, health: healthFrom(raw), plan: planOf(facts, request) };
}

function planOf(facts: HostFacts, request: ProvisionRequest): Plan | MachineError {
  try {
    return planProvision(facts, detectFamily(facts), request);
  } catch (error) {
    if (isMachineError(error)) return error;
    throw error;
  }
}
