/** What is checked before anything is made: this computer, its Hyper-V, this user's rights, the switch. */
import { readUserData } from "../../driver-kit/guest/seeded-guest.ts";
import { requireIsoFits } from "../../driver-kit/images/boot-iso.ts";
import { guestArch } from "../../driver-kit/images/guest-arch.ts";
import { requireImageFile } from "../../driver-kit/images/image-check.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { requireFreeBytes } from "../../system/disk-files.ts";
import { moduleHint } from "./failures.ts";
import { imageSource } from "./options.ts";
import { isTrue, textOf, type Answers, type Fields } from "./powershell.ts";
import { fields, questions } from "./script.ts";
import { defaultSwitchId, isOwn, listing, readListing, requireRights, type Workplace } from "./workplace.ts";

/** A disk that has been written to a little. */
const freshMachineBytes = 2 * 1024 ** 3;

/** Throws with nothing made. Afterwards the switch is the one that will be used. */
export async function checkBeforeCreate(place: Workplace, signal: AbortSignal): Promise<void> {
  const { context } = place;
  if (context.computer.os !== "windows")
    throw new MachineError("driver-unsupported", 'Driver "hyperv" not supported on this platform.', {
      hint: "Hyper-V is a part of Windows; here the driver qemu makes virtual machines.",
    });
  await checkFiles(place);
  await checkHyperv(place, signal);
  await checkSwitch(place, signal);
}

async function checkFiles({ config, context }: Workplace): Promise<void> {
  const source = imageSource(config, context.computer.cwd);
  requireIsoFits(source, guestArch(context.computer.arch, "hyperv"), "hyperv");
  await requireImageFile(source);
  await readUserData({ userDataFile: config.CloudConfig, userDataFlag: "hyperv-cloud-config" });
  await requireFreeBytes(context.storePath, freshMachineBytes, "A machine");
}

async function checkHyperv({ api }: Workplace, signal: AbortSignal): Promise<void> {
  await api.require();
  const { administrator, hypervAdministrator, module, hypervisor, firmware, service } = questions;
  const statements = [module, administrator, hypervAdministrator, hypervisor, firmware, service];
  const answers = ["module", "administrator", "hypervAdministrator", "hypervisor", "firmware", "service"];
  const found = await api.run({ statements, answers, data: {} }, signal);
  if (!isTrue(found, "module"))
    throw new MachineError("provider-unsupported", "Hyper-V PowerShell Module is not available", { hint: moduleHint });
  requireRights(found);
  requireHypervisor(found);
}

/** Only without a hypervisor does the firmware's switch tell anything: beneath one it reads as off. */
function requireHypervisor(found: Answers): void {
  if (!isTrue(found, "hypervisor")) {
    const isOff = !isTrue(found, "firmware");
    throw new MachineError("provider-unsupported", "The hypervisor of Hyper-V does not run on this computer", {
      hint: isOff ? "Switch virtualisation (VT-x, AMD-V) on in the computer's firmware, and restart." : moduleHint,
    });
  }
  const service = textOf(found["service"]?.[0]);
  if (service === "Running") return;
  throw new MachineError(
    "provider-unsupported",
    `The service of Hyper-V (vmms) is ${service === "" ? "not installed" : service.toLowerCase()}`,
    { hint: service === "" ? moduleHint : "As an administrator: Set-Service vmms -StartupType Automatic; Start-Service vmms" },
  );
}

interface VirtualSwitch {
  readonly id: string;
  readonly name: string;
  readonly type: string;
}

async function checkSwitch(place: Workplace, signal: AbortSignal): Promise<void> {
  const { api, config, context } = place;
  const script = {
    statements: [...listing.statements, `$switches=Hyper-V\\Get-VMSwitch${fields.switch}`],
    answers: [...listing.answers, "switches"],
    data: {},
  };
  const answers = await api.run(script, signal);
  const switches = (answers["switches"] ?? []).map((answer): VirtualSwitch => {
    const { Id, Name, SwitchType } = answer as Fields;
    return { id: textOf(Id).toLowerCase(), name: textOf(Name), type: textOf(SwitchType) };
  });
  const chosen = chooseSwitch(place, switches);
  config.VSwitch = chosen.name;
  config.SwitchId = chosen.id;
  const { machineName } = context;
  if (chosen.type !== "External" && chosen.id !== defaultSwitchId)
    logTo(
      context.report,
      "warn",
      `The switch ${JSON.stringify(chosen.name)} is ${chosen.type.toLowerCase()}: "${machineName}" gets an address, and a way out, only if something on it gives them.`,
    );
  const twin = readListing(answers).find((vm) => vm.name.toLowerCase() === machineName.toLowerCase() && !isOwn(vm, place));
  if (twin !== undefined)
    logTo(
      context.report,
      "warn",
      `Hyper-V has another virtual machine "${twin.name}" (${twin.id}). It is left alone; what goes by names, as Docker Machine 0.16.2 does, cannot tell the two apart.`,
    );
}

/** 0.16.2 took the first external one. Windows' own needs no network card, and gives addresses and a way out. */
function chooseSwitch({ config, context }: Workplace, switches: readonly VirtualSwitch[]): VirtualSwitch {
  const { VSwitch } = config;
  if (VSwitch !== "") {
    const named = switches.find(({ name }) => name === VSwitch);
    if (named !== undefined) return named;
    throw new MachineError("provider-not-found", `vswitch ${JSON.stringify(VSwitch)} not found`, {
      hint: `There ${switches.length === 0 ? "is none" : `are: ${switches.map(({ name }) => name).join(", ")}`}.`,
    });
  }
  const external = switches.find(({ type }) => type === "External");
  const standard = switches.find(({ id }) => id === defaultSwitchId);
  const isCompat = context.computer.env["MACHINE_COMPAT"] === "0.16";
  const chosen = isCompat ? (external ?? standard) : (standard ?? external);
  if (chosen !== undefined) return chosen;
  throw new MachineError(
    "provider-not-found",
    "no External vswitch found. A valid vswitch must be available for this command to run. Check https://docs.docker.com/machine/drivers/hyper-v/",
    {
      hint: "Make one for a network card that Get-NetAdapter lists: New-VMSwitch -Name external -NetAdapterName Ethernet, or name one with --hyperv-virtual-switch.",
    },
  );
}
