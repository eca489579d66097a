/**
 * What VirtualBox's refusals mean. VBoxManage names a code of its interface on a line of its own (`Details: code
 * VBOX_E_OBJECT_NOT_FOUND (0x80bb0001)`, or in older versions `Code E_ACCESSDENIED (0x80070005)`); where that says little, the
 * words do, and what the log of a machine that did not start holds.
 */
import { failureKindOf, type FailureRow, ProviderError } from "../../driver-kit/provider-error.ts";
import { MachineError } from "../../errors/machine-error.ts";
import type { OsName } from "../../system/computer.ts";

/** The words of a failing call, its code apart. */
export function errorIn(line: string): string | undefined {
  const words = /^VBoxManage(?:\.exe)?: error: (.*)$/u.exec(line)?.[1];
  if (words === undefined || /^(?:Details: code|Context: )/u.test(words)) return undefined;
  // Where in VirtualBox's own source it happened helps nobody here.
  return words.replace(/^Error code (VERR_\w+) at .*$/u, "$1");
}

export function codeIn(stderr: string): string | undefined {
  return /\b[Cc]ode ([A-Z][A-Z_]+) \(0x/u.exec(stderr)?.[1];
}

export const moduleHints: Readonly<Record<OsName, string>> = {
  linux:
    "Install the headers of the running kernel and build the module: sudo /sbin/vboxconfig, or on Debian and Ubuntu sudo apt-get install virtualbox-dkms linux-headers-$(uname -r).",
  darwin: "Allow Oracle's extension in System Settings, Privacy & Security, and start the computer anew.",
  windows: "Repair the installation of VirtualBox, and start the computer anew.",
};

/** With Secure Boot only signed modules are loaded. */
export const secureBootHint =
  "Secure Boot is on, so the module must also be signed with a key that the firmware knows: see mokutil --import, or switch Secure Boot off in the firmware.";

export function failuresOn(os: OsName): readonly FailureRow[] {
  return [
    {
      message: /vboxnetctl|vboxdrv/u,
      kind: "unsupported",
      sentence: "VirtualBox's kernel module is not loaded",
      hint: moduleHints[os],
    },
    {
      // Its service ends by itself when nobody asks; who comes at that moment, or with many others, finds none and asks again.
      message: /Failed to create the VirtualBox object/u,
      kind: "busy",
      sentence: "VirtualBox's service did not start",
      hint: "See what it says to: VBoxManage list vms. If it stays so, end VBoxSVC and VBoxXPCOMIPCD, and try again.",
    },
    { codes: ["VBOX_E_OBJECT_NOT_FOUND"], kind: "not-found", sentence: "VirtualBox does not know it" },
    {
      codes: ["VBOX_E_INVALID_OBJECT_STATE", "VBOX_E_INVALID_SESSION_STATE"],
      kind: "busy",
      sentence: "The virtual machine is in use by another program",
      hint: "Close its window in VirtualBox, or wait until the other program is done; then try again.",
    },
    {
      message: /The object functionality is limited|The object is not ready/u,
      kind: "permission",
      sentence: "VirtualBox cannot read the settings of the virtual machine",
      hint: "Put its .vbox file back, or remove the machine: docker-machine rm {machine}",
    },
    {
      codes: ["E_ACCESSDENIED"],
      kind: "permission",
      sentence: "VirtualBox does not allow the network {cidr} for a host-only interface",
      hint: "Add a line with its range, as * {range}, to /etc/vbox/networks.conf, or choose another with --virtualbox-hostonly-cidr.",
    },
    {
      message: /is not currently running/u,
      kind: "not-found",
      sentence: "The virtual machine does not run",
    },
    {
      codes: ["VBOX_E_PLATFORM_ARCH_NOT_SUPPORTED"],
      kind: "unsupported",
      sentence: "VirtualBox cannot run a machine of that architecture on this computer",
      hint: "Give --virtualbox-image a disk for this computer's own architecture.",
    },
    {
      message: /settings file .* already exists/u,
      kind: "exists",
      sentence: "A virtual machine's settings are there already",
      hint: "Remove the machine and create it again.",
    },
    {
      message: /Registered machine with UUID/u,
      kind: "exists",
      sentence: "VirtualBox has another virtual machine with the id of this one",
      hint: "It was registered from a copy: unregister that in VirtualBox, then try again.",
    },
    {
      message: /VERR_ACCESS_DENIED/u,
      kind: "permission",
      sentence: "VirtualBox may not read or write a file",
      hint: "Check who owns it; VirtualBox runs as you do.",
    },
  ];
}

/** A full disk is told in many ways, by calls of every kind. */
const diskFull = /VERR_DISK_FULL|VERR_ENOSPC|No space left on device|There is not enough space on the disk/u;

export function explained(error: unknown): unknown {
  if (!(error instanceof ProviderError) || !diskFull.test(error.failure.message)) return error;
  return new MachineError("disk-full", `There is no room for the virtual machine: ${error.failure.message}`, {
    cause: error,
    hint: "Free some space where the store is, then try again.",
  });
}

export function isUnknown(error: unknown): boolean {
  return failureKindOf(error) === "not-found";
}

/** Does what takes something away; that it is gone already is no failure. */
export async function unlessGone(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isUnknown(error) && !/VERR_FILE_NOT_FOUND|does not exist|could not be found|Failed to find/u.test(String(error)))
      throw error;
  }
}

/** Why a machine did not start, by VirtualBox's words and its log; the first that fits counts. */
const startFailures: readonly (readonly [RegExp, string, string])[] = [
  [
    /VERR_VMX_IN_VMX_ROOT_MODE|VERR_SVM_IN_USE/u,
    "another hypervisor holds the processor's virtualization",
    "Linux since 6.12 gives it to KVM at once: sudo modprobe -r kvm_intel kvm_amd, or load kvm with enable_virt_at_load=0.",
  ],
  [
    /VERR_SVM_HOST_SVME_NOT_ENABLED/u,
    "the kernel has not switched the processor's virtualization on",
    "VirtualBox since 7.2.10 leaves that to KVM: load kvm with enable_virt_at_load=1.",
  ],
  [
    /VERR_VMX_MSR_ALL_VMX_DISABLED|VERR_VMX_NO_VMX|VERR_VMX_MSR_VMX_DISABLED|VERR_SVM_DISABLED|VERR_SVM_NO_SVM/u,
    "This computer doesn't have VT-X/AMD-v enabled. Enabling it in the BIOS is mandatory",
    "Within a virtual machine, switch nested virtualization on for that one.",
  ],
  [
    /VERR_NEM_VM_CREATE|VERR_NEM_NOT_AVAILABLE/u,
    "Hyper-V holds the processor's virtualization and does not share it",
    "Use the hyperv driver, or switch Hyper-V off: bcdedit /set hypervisorlaunchtype off, and start the computer anew.",
  ],
  [
    /VBoxHardening|supR3Hardened/u,
    "VirtualBox's protection of its process failed",
    "Antivirus programs are often the cause: see VBoxHardening.log in the folder of the virtual machine.",
  ],
  [
    /ERR_INTNET_FLT_IF_NOT_FOUND|VERR_SUPDRV_COMPONENT_NOT_FOUND/u,
    "VirtualBox's network driver does not know the host-only interface",
    "Repair the installation of VirtualBox, and start the computer anew.",
  ],
  [/vboxdrv|VERR_VM_DRIVER|rc=-190[89]/u, "VirtualBox's kernel module is not loaded", moduleHints.linux],
  [
    /VERR_NO_MEMORY|VERR_NO_LOW_MEMORY|Cannot allocate memory/u,
    "there is not enough memory",
    "Stop another machine, or create it with a smaller --virtualbox-memory.",
  ],
];

/** In 0.16.2's words, and what is known of it. @param log the end of the machine's log, "" where there is none */
export function startFailure(error: unknown, log: string, os: OsName): unknown {
  if (!(error instanceof ProviderError) || error.failure.kind !== "invalid") return error;
  const words = error.failure.message;
  const known = startFailures.find(([pattern]) => pattern.test(`${words}\n${log}`));
  if (known !== undefined) {
    const hint = known[2] === moduleHints.linux ? moduleHints[os] : known[2];
    return new MachineError("driver-failed", `Unable to start the VM: ${known[1]} (${words})`, { cause: error, hint });
  }
  const details = log.trim().split("\n").at(-1)?.trim() ?? "";
  return new MachineError(
    "driver-failed",
    `Unable to start the VM: ${words}${details === "" ? "" : `; its log ends with: ${details}`}`,
    {
      cause: error,
      hint: "See the log of the virtual machine, and whether VirtualBox starts it by hand.",
    },
  );
}
