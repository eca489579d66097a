/** What is checked before anything is made: this computer, its VMware, the files that were named. */
import { readUserData } from "../../driver-kit/guest/seeded-guest.ts";
import { requireSharedFolder } from "../../driver-kit/guest/shared-folder.ts";
import { requireIsoFits } from "../../driver-kit/images/boot-iso.ts";
import { guestArch } from "../../driver-kit/images/guest-arch.ts";
import { requireImageFile } from "../../driver-kit/images/image-check.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { accessTo, requireFreeBytes } from "../../system/disk-files.ts";
import { imageSource } from "./options.ts";
import { productNames, productVersion } from "./programs.ts";
import { parseShare, sharesOf } from "./shares.ts";
import { lookUp, requireNoOther, type Workplace } from "./workplace.ts";

/** A disk that has been written to a little. */
const freshMachineBytes = 2 * 1024 ** 3;

/** The oldest whose virtual hardware ours is; of Fusion on Apple's processors, the first. */
const oldest = { fusion: { x64: 12, arm64: 13 }, ws: { x64: 16, arm64: 16 } } as const;

/** Throws with nothing made. Afterwards the product's version is recorded. */
export async function checkBeforeCreate(place: Workplace, signal: AbortSignal): Promise<void> {
  await checkFiles(place);
  await checkPrograms(place, signal);
  requireNoOther(place, await lookUp(place, signal));
}

async function checkFiles({ config, context }: Workplace): Promise<void> {
  const { arch, cwd, os } = context.computer;
  const source = imageSource(config, cwd);
  requireIsoFits(source, guestArch(arch, "vmwarefusion"), "vmwarefusion");
  await requireImageFile(source);
  for (const text of config.ShareFolders) await requireSharedFolder(parseShare(text, cwd).hostPath);
  if (config.ShareFolders.length > 0 && sharesOf(config, os).length > 0 && source.kind !== "iso")
    logTo(
      context.report,
      "info",
      "Shared folders are shown once the machine has open-vm-tools: sudo apt-get install open-vm-tools.",
    );
  await readUserData({ userDataFile: config.CloudConfig, userDataFlag: "vmwarefusion-cloud-config" });
  await requireFreeBytes(context.storePath, freshMachineBytes, "A machine");
}

async function checkPrograms({ api, config, context }: Workplace, signal: AbortSignal): Promise<void> {
  const { vmrun, diskManager, product } = api;
  const { arch, os } = context.computer;
  const program = await vmrun.require(signal);
  await diskManager.require(signal);
  const version = await productVersion(context, signal);
  const least = oldest[product][guestArch(arch, "vmwarefusion")];
  if (version !== undefined && version.major < least)
    throw new MachineError(
      "provider-unsupported",
      `${productNames[product]} ${version.text} is too old: ${least} is the oldest that will do`,
      {
        hint: "Install a newer one, or use the driver qemu.",
      },
    );
  config.ProductVersion = version?.text ?? "";
  if (os === "linux" && (await accessTo("/dev/vmmon")) === "absent")
    throw new MachineError("provider-unsupported", "The kernel modules of VMware are not loaded: there is no /dev/vmmon", {
      hint: "Build and load them for this kernel: sudo vmware-modconfig --console --install-all; with Secure Boot they must be signed.",
    });
  logTo(context.report, "debug", `${productNames[product]} ${version?.text ?? "of an unknown version"}: ${program}`);
}
