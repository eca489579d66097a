/**
 * A guest that reads a seed of ours at its first boot: it gets the machine's login key and host keys, so that even the
 * first connection is verified. For hypervisors that attach the seed as a CD.
 */
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { readRegularFileIfExists } from "../../system/files.ts";
import type { DriverContext } from "../driver.ts";
import { newGuestIdentity, publicHalves } from "./guest-identity.ts";
import { writeSeed, type GuestNetwork } from "./nocloud.ts";

export interface GuestWish {
  readonly userName: string;
  /** Where the seed is written. */
  readonly seedFile: string;
  /** cloud-init takes a guest for a new one when this changes. */
  readonly instanceId: string;
  /** Path of the user's own user data; "" = none. */
  readonly userDataFile: string;
  /** The flag that names it, without dashes. */
  readonly userDataFlag: string;
  readonly mounts?: readonly (readonly string[])[] | undefined;
  readonly networks?: readonly GuestNetwork[] | undefined;
}

/** What the record keeps of a guest. */
export interface SeededGuest {
  readonly sshKeyPath: string;
  /** Public halves as `TYPE BASE64`; empty where the user's data settles the host keys. */
  readonly hostKeys: readonly string[];
}

/** Writes the seed. The same in every call of one create. Throws `driver-options`, `disk-full`, `ssh-key-unusable`. */
export async function seedGuest(context: DriverContext, wish: GuestWish): Promise<SeededGuest> {
  const { identity, sshKeyPath } = await newGuestIdentity(context, wish.userName, ["ed25519"]);
  const told = await writeSeed(wish.seedFile, {
    identity,
    keepsImageUser: false,
    instanceId: wish.instanceId,
    mounts: wish.mounts,
    networks: wish.networks,
    userData: await readUserData(wish),
    userDataFlag: wish.userDataFlag,
  });
  if (told.note !== undefined) logTo(context.report, "warn", told.note);
  return { sshKeyPath, hostKeys: told.hostKeysInjected ? publicHalves(identity.hostKeys) : [] };
}

/** The user's file; undefined where none is named. Throws `driver-options` where it is not there. */
export async function readUserData({
  userDataFile,
  userDataFlag,
}: Pick<GuestWish, "userDataFile" | "userDataFlag">): Promise<Buffer | undefined> {
  if (userDataFile === "") return undefined;
  const bytes = await readRegularFileIfExists(userDataFile);
  if (bytes !== undefined) return bytes;
  throw new MachineError("driver-options", `The file of --${userDataFlag} does not exist: ${userDataFile}`);
}
