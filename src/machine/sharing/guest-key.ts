/** The pair by which this user is a guest on machines of others. Made once; the private half stays here. */
import * as path from "node:path";
import { guestKeyFile } from "../../driver-kit/share-ticket.ts";
import { ensureKeyPair } from "../../ssh/keys.ts";
import { userHere } from "../../system/process-identity.ts";
import type { MachineContext } from "../machine-context.ts";

/** One line: `ssh-ed25519 BASE64 USER@COMPUTER`. */
export async function guestPublicKey({ store, computer }: MachineContext): Promise<string> {
  const folder = path.dirname(guestKeyFile(store.root));
  return (await ensureKeyPair(folder, userHere(computer), computer, "ed25519")).publicKey;
}
