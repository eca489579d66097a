/** The script that makes a virtual machine and starts it, by what the machine is to be. No I/O. */
import type { HypervConfig } from "./options.ts";
import { fields, type Script, type ScriptData } from "./script.ts";

export interface CreationWish {
  readonly config: HypervConfig;
  readonly generation: 1 | 2;
  /** Whether this Windows makes checkpoints by itself, and can be told not to. */
  readonly hasCheckpoints: boolean;
  readonly isIso: boolean;
  readonly data: Readonly<Record<"name" | "folder" | "notes" | "source" | "disk" | "drive", string>>;
}

const mib = 1024 * 1024;
/** Beneath it Debian's installer and engine do not start. */
export const leastMemoryMiB = 512;

export function creationScript(wish: CreationWish): Script {
  const statements = [
    ...(wish.isIso ? [] : [convert]),
    newMachine(wish),
    settings(wish),
    "Hyper-V\\Set-VMProcessor -VM $vm -Count $a.cpus",
    ...(wish.generation === 2 ? [firmware(wish.config)] : []),
    "Hyper-V\\Set-VMNetworkAdapter -VM $vm -StaticMacAddress $a.mac",
    ...(wish.config.VLanID > 0 ? ["Hyper-V\\Set-VMNetworkAdapterVlan -VM $vm -Access -VlanId $a.vlan"] : []),
    ...(wish.generation === 2 ? insertedDrive : builtInDrive),
    "Hyper-V\\Start-VM -VM $vm",
    `$made=Hyper-V\\Get-VM -Id $vm.Id${fields.vm}`,
  ];
  return { statements, answers: ["made"], data: dataOf(wish) };
}

/** The ending of the name decides the format. A disk of 0.16.2 would stay behind without its machine: nothing is made twice. */
const convert = "Hyper-V\\Convert-VHD -Path $a.source -DestinationPath $a.disk -VHDType Dynamic -DeleteSource";

/** Without -Generation it would be 1, without -BootDevice a network boot may come first. */
function newMachine({ generation, isIso }: CreationWish): string {
  return (
    `$vm=Hyper-V\\New-VM -Name $a.name -Generation ${generation} -MemoryStartupBytes $a.memory -VHDPath $a.disk` +
    ` -Path $a.folder -SwitchName $a.switch -BootDevice ${isIso ? "CD" : generation === 2 ? "VHD" : "IDE"}`
  );
}

/** The mark first of all. Checkpoints would turn the disk into a chain of files. */
function settings({ config, hasCheckpoints }: CreationWish): string {
  const checkpoints = hasCheckpoints ? " -AutomaticCheckpointsEnabled $false -CheckpointType Disabled" : "";
  const most = config.MemoryMax > 0 ? " -MemoryMaximumBytes $a.memoryMost" : "";
  const memory = config.DisableDynamicMemory ? "-StaticMemory" : `-DynamicMemory -MemoryMinimumBytes $a.memoryLeast${most}`;
  return `Hyper-V\\Set-VM -VM $vm -Notes $a.notes${checkpoints} -AutomaticStartAction Nothing -AutomaticStopAction ShutDown ${memory}`;
}

/** The default template is Windows' own, with which no Linux starts. */
function firmware({ SecureBoot }: HypervConfig): string {
  return SecureBoot === "on"
    ? "Hyper-V\\Set-VMFirmware -VM $vm -EnableSecureBoot On -SecureBootTemplate MicrosoftUEFICertificateAuthority"
    : "Hyper-V\\Set-VMFirmware -VM $vm -EnableSecureBoot Off";
}

/** A machine of generation 2 has no DVD drive; one of generation 1 has an empty one. */
const insertedDrive: readonly string[] = ["Hyper-V\\Add-VMDvdDrive -VM $vm -Path $a.drive"];
const builtInDrive: readonly string[] = [
  "$dvd=Hyper-V\\Get-VMDvdDrive -VM $vm",
  "Hyper-V\\Set-VMDvdDrive -VMDvdDrive $dvd -Path $a.drive",
];

function dataOf({ config, data, isIso }: CreationWish): ScriptData {
  const { source, ...rest } = data;
  return {
    ...rest,
    ...(isIso ? {} : { source }),
    memory: config.MemSize * mib,
    ...(config.DisableDynamicMemory ? {} : { memoryLeast: Math.min(leastMemoryMiB, config.MemSize) * mib }),
    ...(config.MemoryMax > 0 ? { memoryMost: config.MemoryMax * mib } : {}),
    cpus: config.CPU,
    switch: config.VSwitch,
    mac: config.MacAddress,
    ...(config.VLanID > 0 ? { vlan: config.VLanID } : {}),
  };
}
