/** What cloud-init is told at the first boot: the machine's identity, joined with the user's file. */
import { ensureHostKeys, hostNameOf, publicHalves, type HostKeyPair } from "../../driver-kit/guest/guest-identity.ts";
import { cloudInitData, userDataBounds, type CloudInitData } from "../../driver-kit/guest/user-data.ts";
import { logTo } from "../../log/event.ts";
import { inPrivateFolder } from "../../ssh/private-folder.ts";
import type { Workplace } from "./workplace.ts";

/** Base64, as Nova takes it; the public halves of the host keys go into the record. */
export async function writeUserData(place: Workplace, publicKey: string): Promise<string> {
  const { config, context } = place;
  const hostKeys = await ensureHostKeys(context);
  const data = dataWith(place, publicKey, hostKeys);
  if (data.note !== undefined) logTo(context.report, "warn", data.note);
  config.HostKeys = data.hostKeysInjected ? [...publicHalves(hostKeys)] : [];
  const text = Buffer.from(data.bytes).toString("base64");
  context.secret(text);
  return text;
}

function dataWith({ config, context }: Workplace, publicKey: string, hostKeys: readonly HostKeyPair[]): CloudInitData {
  const hostName = hostNameOf(context.machineName);
  return cloudInitData({
    identity: { hostName, userName: config.SSHUser, authorizedKeys: [publicKey], hostKeys },
    keepsImageUser: true,
    userData: config.UserData === "" ? undefined : Buffer.from(config.UserData, "base64"),
    bounds: userDataBounds.openstack,
    userDataFlag: "openstack-user-data-file",
  });
}

/** What a login key's line takes, also an RSA one's. */
const standInKey = `ssh-rsa ${"A".repeat(740)}`;

/** Joins the user's file with an identity as long as the machine's will be. Throws `driver-options`. */
export async function checkUserData(place: Workplace): Promise<void> {
  if (place.config.UserData === "") return;
  await inPrivateFolder(place.context.computer, async (machineDir) => {
    const hostKeys = await ensureHostKeys({ ...place.context, machineDir });
    dataWith(place, standInKey, hostKeys);
  });
}
