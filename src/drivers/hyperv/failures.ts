/**
 * What errors of Hyper-V mean: by the ids of PowerShell's errors and the numbers of Windows', because the words are in the
 * language of the computer.
 */
import type { FailureRow } from "../../driver-kit/provider-error.ts";

/** ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL. */
export const fullDisk = /0x8007(?:0070|0027)/iu;

export const rightsHint =
  "Run docker-machine as an administrator, or become a member of the group Hyper-V Administrators and log in anew: Add-LocalGroupMember -SID S-1-5-32-578 -Member $env:USERNAME";

export const moduleHint =
  "Switch Hyper-V on and restart: Enable-WindowsOptionalFeature -Online -FeatureName Microsoft-Hyper-V -All. Windows Home has no Hyper-V: use the drivers qemu or virtualbox there.";

export const failures: readonly FailureRow[] = [
  {
    message: /ConstrainedLanguage/u,
    kind: "unsupported",
    sentence: "PowerShell runs in constrained language mode on this computer, in which it may not manage Hyper-V",
    hint: "Ask whoever manages this computer to let this program's scripts run, or use the drivers qemu or virtualbox.",
  },
  {
    codes: ["CommandNotFoundException", "CouldNotAutoLoadModule", "CouldNotAutoloadMatchingModule"],
    kind: "unsupported",
    sentence: "Hyper-V PowerShell Module is not available",
    hint: moduleHint,
  },
  {
    codes: [/^(?:AccessDenied|Unauthorized)/u],
    kind: "permission",
    sentence: "Hyper-v commands have to be run as an Administrator",
    hint: rightsHint,
  },
  {
    message: /0x80070005/u,
    kind: "permission",
    sentence: 'Hyper-V may not open a file of "{name}"',
    hint: "The machine's folder must be open to the account SYSTEM, neither encrypted nor on a network drive: choose another store with --storage-path.",
  },
  {
    codes: ["OutOfMemory"],
    kind: "capacity",
    sentence: 'This computer has no memory left for "{name}"',
    hint: "Stop something, or create it with less: --hyperv-memory 1024.",
  },
  {
    message: /0x8007(?:000E|05AA)/iu,
    kind: "capacity",
    sentence: 'This computer has no memory left for "{name}"',
    hint: "Stop something, or create it with less: --hyperv-memory 1024.",
  },
  {
    message: /0x80070020/u,
    kind: "busy",
    sentence: 'A file of "{name}" is in use by another program',
    hint: "A backup or a virus scanner may hold it; try again in a moment.",
  },
  {
    codes: ["InvalidState", "ObjectInUse", "OperationTimeout"],
    kind: "busy",
    sentence: 'Hyper-V cannot do this to "{name}" in the state that it is in',
    hint: "Try again in a moment; docker-machine status {name} tells the state.",
  },
  {
    message: /hypervisor is not running/iu,
    kind: "unsupported",
    sentence: 'The hypervisor does not run, so "{name}" cannot start',
    hint: "Restart the computer; if that is no help: bcdedit /set hypervisorlaunchtype auto, and switch virtualisation on in the firmware.",
  },
];
