/** How a machine comes into being: what it stands on (`surroundings.ts`), then the virtual machine and its disk. */
import { ensureHostKeys, forgetHostKeys, hostNameOf, publicHalves } from "../../driver-kit/guest/guest-identity.ts";
import { cloudInitData, userDataBounds } from "../../driver-kit/guest/user-data.ts";
import { requireMark } from "../../driver-kit/marks.ts";
import { failureKindOf } from "../../driver-kit/provider-error.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { machineBody, ownTags } from "./bodies.ts";
import { customDataFlag, readCustomData } from "./custom-data.ts";
import { kinds, types, versionOf } from "./resource-names.ts";
import { ensureSurroundings, takenName } from "./surroundings.ts";
import { findMachine, idsFor, isOurMachine, type VirtualMachine, type Workplace } from "./workplace.ts";

/** Returns when Azure says that the machine has started. */
export async function createMachine(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config, context, ledger } = place;
  requireMark(context.createId);
  const earlier = await findMachine(place, signal);
  if (earlier === undefined && config.VmId !== "") throw gone(place);
  const found = earlier === undefined ? undefined : await takeOver(place, earlier, signal);
  const machine = found ?? (await makeMachine(place, signal));
  config.VmId = machine.properties?.vmId ?? "";
  const { disk, instance } = idsFor(place);
  await ledger.note(kinds.instance, instance);
  await ledger.note(kinds.disk, disk);
  await context.save();
  await tagDisk(place, signal);
  await forgetHostKeys(context);
}

export function gone({ context }: Pick<Workplace, "context">): MachineError {
  return new MachineError("provider-not-found", `The virtual machine of "${context.machineName}" is gone from Azure`, {
    hint: `Remove the machine and create it again: docker-machine rm ${context.machineName}`,
  });
}

/** What an earlier call began, once it has started; undefined where that failed, and was removed. */
async function takeOver(place: Workplace, found: VirtualMachine, signal: AbortSignal): Promise<VirtualMachine | undefined> {
  const { api, config, context } = place;
  const { instance } = idsFor(place);
  if (!isOurMachine(place, found)) throw takenName(kinds.instance, instance, found);
  const last: VirtualMachine | undefined = await api.settled({ path: instance, version: types.instance.version }, found, signal);
  if (last?.properties?.provisioningState === "Succeeded") return last;
  logTo(context.report, "warn", "The virtual machine of an earlier attempt did not start; making it anew");
  config.VmId = "";
  await context.save();
  await api.delete({ path: instance, version: types.instance.version }, signal);
  return undefined;
}

async function makeMachine(place: Workplace, signal: AbortSignal): Promise<VirtualMachine> {
  const { api, config, context, ledger } = place;
  const { disk, instance } = idsFor(place);
  const body = await prepare(place);
  await ensureSurroundings(place, signal);
  await ledger.intend(kinds.disk, disk);
  await ledger.intend(kinds.instance, instance);
  const begun = async (resource: VirtualMachine): Promise<void> => {
    config.VmId = resource.properties?.vmId ?? "";
    await ledger.note(kinds.instance, instance);
    await context.save();
  };
  try {
    await api.make({ path: instance, version: types.instance.version }, body, begun, signal);
  } catch (error) {
    signal.throwIfAborted();
    // A request whose answer was lost has made it all the same.
    if (failureKindOf(error) !== "exists") throw error;
    const found = await findMachine(place, signal);
    const mine = found === undefined ? undefined : await takeOver(place, found, signal);
    if (mine === undefined) throw error;
    return mine;
  }
  const made = await findMachine(place, signal);
  if (made === undefined) throw gone(place);
  return made;
}

/** The login key, the host keys and the custom data, whose public parts go into the record. */
async function prepare(place: Workplace): Promise<object> {
  const { config, context } = place;
  // Azure documents RSA keys alone.
  const { privateKeyPath, publicKey } = await context.ensureSshKey({ type: "rsa" });
  const hostKeys = await ensureHostKeys(context);
  const data = cloudInitData({
    identity: { hostName: hostNameOf(context.machineName), userName: config.SSHUser, authorizedKeys: [publicKey], hostKeys },
    keepsImageUser: true,
    userData: await readCustomData(config),
    bounds: userDataBounds.azure,
    userDataFlag: customDataFlag,
  });
  if (data.note !== undefined) logTo(context.report, "warn", data.note);
  config.SSHKeyPath = privateKeyPath;
  config.HostKeys = data.hostKeysInjected ? [...publicHalves(hostKeys)] : [];
  await context.save();
  const customData = Buffer.from(data.bytes).toString("base64");
  context.secret(customData);
  return machineBody(place, publicKey, customData);
}

/** The disk comes with the machine, and without its tags. */
async function tagDisk(place: Workplace, signal: AbortSignal): Promise<void> {
  const request = { path: idsFor(place).disk, version: versionOf(kinds.disk) };
  const disk = await place.api.find(request, signal);
  const wanted = ownTags(place);
  if (disk === undefined || Object.entries(wanted).every(([name, value]) => disk.tags?.[name] === value)) return;
  await place.api.patch(request, { tags: { ...disk.tags, ...wanted } }, signal);
}
