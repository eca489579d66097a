/**
 * How a machine comes into being: key pair, security groups, instance. Each is noted before it is asked for; the instance's
 * request bears the create's id as its token, so that EC2 makes one however often it hears it.
 */
import type { Instance } from "@aws-sdk/client-ec2";
import { failureKindOf } from "../../driver-kit/provider-error.ts";
import { createMark, requireMark } from "../../driver-kit/marks.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { untilVisible } from "./eventually.ts";
import { codeOf } from "./failures.ts";
import { firstBootData, forgetFirstBoot } from "./first-boot.ts";
import { launchRequest } from "./launch.ts";
import { provideKey } from "./login-key.ts";
import { ensureGroups } from "./security-groups.ts";
import { allTags, gone, kinds, markedInstances, recordedInstance, type Workplace } from "./workplace.ts";

/** Returns as soon as the instance's id is durable. */
export async function createInstance(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config, context, ledger } = place;
  const instance = config.InstanceId === "" ? await makeInstance(place, signal) : await stillThere(place, signal);
  config.InstanceId = instance.InstanceId ?? "";
  config.SpotInstanceRequestId = instance.SpotInstanceRequestId ?? config.SpotInstanceRequestId;
  config.OwnerId = ownerOf(instance) ?? config.OwnerId;
  if (config.SpotInstanceRequestId !== "")
    await ledger.note(kinds.spotRequest, config.SpotInstanceRequestId, context.machineName);
  await ledger.note(kinds.instance, config.InstanceId, context.machineName);
  await context.save();
  await addMissingTags(place, instance, signal);
  await forgetFirstBoot(place);
}

function ownerOf({ NetworkInterfaces = [] }: Instance): string | undefined {
  return NetworkInterfaces[0]?.OwnerId;
}

async function stillThere(place: Workplace, signal: AbortSignal): Promise<Instance> {
  try {
    return await untilVisible(place, signal, async () => await recordedInstance(place, signal));
  } catch (error) {
    signal.throwIfAborted();
    if (failureKindOf(error) !== undefined) throw error;
    throw gone(place);
  }
}

async function makeInstance(place: Workplace, signal: AbortSignal): Promise<Instance> {
  const { config, ledger } = place;
  requireMark(place.context.createId);
  const found = ledger.of(kinds.instance).length > 0 ? await earlierInstance(place, signal) : undefined;
  if (found !== undefined) return found;
  const publicKey = await provideKey(place, signal);
  await ensureGroups(place, signal);
  const userData = await firstBootData(place, publicKey);
  if (config.RequestSpotInstance) await ledger.intend(kinds.spotRequest, place.context.machineName);
  await ledger.intend(kinds.instance, place.context.machineName);
  return await launch(place, userData, signal);
}

/** What an earlier call began whose answer did not arrive. */
async function earlierInstance(place: Workplace, signal: AbortSignal): Promise<Instance | undefined> {
  return (await markedInstances(place, signal))[0];
}

async function launch(place: Workplace, userData: Uint8Array, signal: AbortSignal): Promise<Instance> {
  const { api } = place;
  const request = launchRequest(place, userData);
  try {
    return await untilVisible(
      place,
      signal,
      async () => {
        const [instance] = (await api.send("RunInstances", request, signal)).Instances ?? [];
        if (instance?.InstanceId !== undefined) return instance;
        throw new MachineError("provider-error", "AWS made no instance and told no reason: unexpected AWS API response");
      },
      (error) => isNotYetKnown(error) || isWorthWaiting(place, error),
    );
  } catch (error) {
    if (codeOf(error) !== "IdempotentParameterMismatch") throw error;
    const earlier = await earlierInstance(place, signal);
    if (earlier === undefined) throw error;
    return earlier;
  }
}

/** What this create, or its owner a moment ago, made before: key pair, group, instance profile. */
const latecomers = [/^InvalidGroup\.NotFound$/u, /^InvalidKeyPair\.NotFound$/u];

function isNotYetKnown(error: unknown): boolean {
  const code = codeOf(error);
  const isProfile = code === "InvalidParameterValue" && /Invalid IAM Instance Profile/iu.test((error as Error).message);
  return isProfile || latecomers.some((pattern) => pattern.test(code));
}

/** AWS takes few such requests a second, and many machines may be made at once. The token makes the request one. */
function isWorthWaiting({ config }: Workplace, error: unknown): boolean {
  return config.RetryCount >= 0 && failureKindOf(error) === "rate-limit";
}

/** Some ways to a spot instance leave them out. */
async function addMissingTags(place: Workplace, { InstanceId = "", Tags = [] }: Instance, signal: AbortSignal): Promise<void> {
  const mark = createMark(place.context.createId);
  if (mark === undefined || Tags.some(({ Key, Value }) => Key === mark.tag.key && Value === mark.tag.value)) return;
  await untilVisible(place, signal, async () => {
    return await place.api.send("CreateTags", { Resources: [InstanceId], Tags: [...allTags(place)] }, signal);
  });
}
