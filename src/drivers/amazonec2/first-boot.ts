/**
 * What an instance is told at its first boot. It is kept in the machine's folder until the instance's id is saved: the
 * user's file may change in between, and a repeated request must be the same.
 */
import * as path from "node:path";
import {
  ensureHostKeys,
  forgetHostKeys,
  hostNameOf,
  publicHalves,
  type HostKeyPair,
} from "../../driver-kit/guest/guest-identity.ts";
import { cloudInitData, userDataBounds, type CloudInitData } from "../../driver-kit/guest/user-data.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { inPrivateFolder } from "../../ssh/private-folder.ts";
import { readFileIfExists, removeFile, writeFileAtomic } from "../../system/files.ts";
import type { Workplace } from "./workplace.ts";

const userDataFlag = "amazonec2-userdata";
const frozenName = "first-boot-data";

/** As long as a login key's line becomes, at most but for RSA. */
const standInKey = `ssh-ed25519 ${"A".repeat(400)}`;

/** Joins the user's file with an identity as long as the machine's will be. Throws `driver-options`. */
export async function checkUserData(place: Workplace): Promise<void> {
  const { context } = place;
  await inPrivateFolder(context.computer, async (machineDir) => {
    await compose(place, standInKey, await ensureHostKeys({ ...context, machineDir }));
  });
}

/** The public halves of the host keys go into the record. @param publicKey undefined where only AWS knows it */
export async function firstBootData(place: Workplace, publicKey: string | undefined): Promise<Uint8Array> {
  const { config, context } = place;
  const file = path.join(context.machineDir, frozenName);
  const frozen = await readFileIfExists(file);
  if (frozen !== undefined) return frozen;
  const hostKeys = await ensureHostKeys(context);
  const data = await compose(place, publicKey, hostKeys);
  if (data.note !== undefined) logTo(context.report, "warn", data.note);
  config.HostKeys = data.hostKeysInjected ? [...publicHalves(hostKeys)] : [];
  await context.save();
  await writeFileAtomic(file, data.bytes, 0o600);
  return data.bytes;
}

/** Once the instance has it, and its id is saved. */
export async function forgetFirstBoot({ context }: Workplace): Promise<void> {
  await removeFile(path.join(context.machineDir, frozenName));
  await forgetHostKeys(context);
}

async function compose(
  place: Workplace,
  publicKey: string | undefined,
  hostKeys: readonly HostKeyPair[],
): Promise<CloudInitData> {
  const { config, context } = place;
  return cloudInitData({
    identity: {
      hostName: hostNameOf(context.machineName),
      userName: config.SSHUser,
      authorizedKeys: publicKey === undefined ? [] : [publicKey],
      hostKeys,
    },
    // EC2 gives the key pair to the image's own user.
    keepsImageUser: true,
    userData: await readUserData(config.UserDataFile),
    bounds: userDataBounds.amazonec2,
    userDataFlag,
  });
}

async function readUserData(file: string): Promise<Uint8Array | undefined> {
  if (file === "") return undefined;
  const bytes = await readFileIfExists(file);
  if (bytes !== undefined) return bytes;
  throw new MachineError("driver-options", `unable to read --amazonec2-userdata file: ${file} does not exist`, {
    hint: "Give its path with --amazonec2-userdata, or leave that out.",
  });
}
