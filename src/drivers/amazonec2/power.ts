/** Starting and stopping an instance; the core waits for the state. */
import type { Instance } from "@aws-sdk/client-ec2";
import { MachineError } from "../../errors/machine-error.ts";
import { poll } from "../../system/waiting.ts";
import { pace, requireInstance, type Workplace } from "./workplace.ts";

/** An instance that is being stopped is started once it has. */
export async function startInstance(place: Workplace, signal: AbortSignal): Promise<void> {
  const { api, config, context } = place;
  const settled = async (): Promise<Instance | undefined> => {
    const instance = await requireInstance(place, signal);
    return instance.State?.Name === "stopping" ? undefined : instance;
  };
  const late = `AWS did not stop the instance of "${context.machineName}", which must be before it starts`;
  const instance = await poll({ ms: context.operationMs, clock: context.clock, signal }, pace, settled, late);
  requireAlive(place, instance);
  await api.send("StartInstances", { InstanceIds: [config.InstanceId] }, signal);
}

/** @param force the operating system is not asked: what it has not written is lost */
export async function stopInstance(place: Workplace, force: boolean, signal: AbortSignal): Promise<void> {
  const { api, config, context } = place;
  const instance = await requireInstance(place, signal);
  requireAlive(place, instance);
  await api.send("StopInstances", { InstanceIds: [config.InstanceId], ...(force ? { Force: true } : {}) }, signal);
  // AWS takes the public address back, and may give it to another; one of the owner's own stays.
  if (config.IPAddress === instance.PrivateIpAddress || config.IPAddress === config.IPv6Address) return;
  config.IPAddress = "";
  await context.save();
}

export async function restartInstance(place: Workplace, signal: AbortSignal): Promise<void> {
  requireAlive(place, await requireInstance(place, signal));
  await place.api.send("RebootInstances", { InstanceIds: [place.config.InstanceId] }, signal);
}

/** The host powers itself off at the time; then AWS ends the instance, with its disks. */
export async function setLifetime(place: Workplace, deadline: Date | undefined, signal: AbortSignal): Promise<void> {
  const { api, config, context } = place;
  const isEnded = deadline !== undefined;
  if (config.InstanceId !== "" && config.TerminateOnShutdown !== isEnded) {
    const behaviour = { Value: isEnded ? "terminate" : "stop" };
    const change = { InstanceId: config.InstanceId, InstanceInitiatedShutdownBehavior: behaviour };
    await api.send("ModifyInstanceAttribute", change, signal);
  }
  config.TerminateOnShutdown = isEnded;
  if (config.InstanceId !== "") await context.save();
}

/** Why an instance ended, by the codes of its last state: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StateReason.html */
const endings: Readonly<Record<string, readonly [sentence: string, hint: string]>> = {
  "Client.VolumeLimitExceeded": [
    "the account's quota of volumes is used up",
    "Remove volumes, or ask for more under Service Quotas.",
  ],
  "Client.InternalError": [
    "its root disk could not be made",
    "With --amazonec2-kms-key: the key must be enabled, and the credentials need kms:CreateGrant, kms:Decrypt and kms:GenerateDataKeyWithoutPlaintext.",
  ],
  "Client.InvalidSnapshot.NotFound": ["its image's snapshot does not exist", "Give another image with --amazonec2-ami."],
  "Server.InsufficientInstanceCapacity": [
    "AWS has no room for it now",
    "Try another --amazonec2-zone or --amazonec2-instance-type.",
  ],
  "Server.SpotInstanceTermination": [
    "AWS took the spot instance back",
    "With --amazonec2-spot-interruption stop it would be stopped instead.",
  ],
  "Server.SpotInstanceShutdown": [
    "AWS took the spot instance back",
    "With --amazonec2-spot-interruption stop it would be stopped instead.",
  ],
};

/** Throws `provider-not-found` for an instance that was terminated, with AWS's reason. */
export function requireAlive({ config, context }: Workplace, { State, StateReason, StateTransitionReason }: Instance): void {
  if (State?.Name !== "terminated" && State?.Name !== "shutting-down") return;
  const known = endings[StateReason?.Code ?? ""];
  const why = known?.[0] ?? StateReason?.Message ?? StateTransitionReason ?? "";
  throw new MachineError(
    StateReason?.Code === "Server.InsufficientInstanceCapacity" ? "provider-capacity" : "provider-not-found",
    `The instance ${config.InstanceId} of "${context.machineName}" was terminated${why === "" ? "" : `: ${why}`}`,
    {
      hint: `${known?.[1] ?? "A terminated instance does not come back."} Remove the machine: docker-machine rm ${context.machineName}`,
    },
  );
}
