/** The end of a machine's time: whether the machine itself knows of it, and looks. */
import { isMachineError } from "../../../errors/machine-error.ts";
import type { Examination } from "../../../provision/host/examine-host.ts";
import { changesLifetime } from "../../../provision/lifetime/lifetime.ts";
import { warn, type AnyCheck, type Complaint } from "../check.ts";
import { provisioning } from "./engine-checks.ts";
import { hostCheck } from "./host-checks.ts";

function judgeLifetime({ plan, health }: Examination): Complaint | undefined {
  const lifetime = isMachineError(plan) ? undefined : plan.lifetime;
  if (lifetime === undefined) return undefined;
  if (changesLifetime(lifetime))
    return warn("its deadline or idle time there is not the recorded one", "it was not told, or was changed there", "files");
  return health.lifetimeStopped
    ? warn("docker-machine-ttl.timer is not active there", "somebody stopped it", "timer")
    : undefined;
}

export const lifetimeChecks: readonly AnyCheck[] = [
  hostCheck({
    id: "lifetime",
    layer: "use",
    title: "the machine ends when it is recorded to",
    needs: ["shell-and-sudo"],
    judge: judgeLifetime,
    advice: (_, { name }) => `docker-machine provision ${name}`,
    repair: (_, { repairs }, { plan }) => provisioning(plan, repairs, "tell the machine when it ends"),
  }),
];
