/** `--virtualbox-import-boot2docker-vm`: a virtual machine of boot2docker whose disk, sizes and login key become this machine's. */
import * as path from "node:path";
import type { IsoSource } from "../../driver-kit/images/image-source.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { copyLarge, factsOf } from "../../system/disk-files.ts";
import { parseVms } from "./listings.ts";
import { stateOf, type VmInfo } from "./vm-info.ts";
import type { Workplace } from "./workplace.ts";

/** boot2docker's own key, in the user's home. */
const keyName = "id_boot2docker";

interface Import {
  readonly info: VmInfo;
  readonly disk: string;
  /** The CD that it starts from. */
  readonly cd: IsoSource;
  readonly keyFile: string;
}

/** The machine to take over, which is switched off. Throws `driver-options`, `ssh-key-unusable`. */
export async function findImport({ config, context, tool }: Workplace, signal: AbortSignal): Promise<Import> {
  const name = config.Boot2DockerImportVM;
  const named = parseVms((await tool.run(["list", "vms"], signal)).stdout).filter((vm) => vm.name === name || vm.uuid === name);
  const [vm] = named;
  if (vm === undefined || named.length > 1)
    throw refused(`${named.length === 0 ? "No virtual machine is" : "Several virtual machines are"} called ${name}`, whichHint);
  const info = await tool.find(vm.uuid, signal);
  // 0.16.2 switches a running one off.
  if (typeof info !== "object" || stateOf(info) !== "Stopped")
    throw refused(
      `The virtual machine ${name} is not switched off`,
      `Stop it first: VBoxManage controlvm ${name} acpipowerbutton`,
    );
  const at = (port: number): string | undefined =>
    info.attachments.find((one) => one.controller === "SATA" && one.port === port)?.medium;
  const [cd, disk] = [at(0), at(1)];
  if (disk === undefined || cd === undefined)
    throw refused(
      `The virtual machine ${name} has no CD and disk where boot2docker has them`,
      "Only machines of boot2docker can be imported.",
    );
  const keyFile = path.join(context.computer.homeDir ?? "", ".ssh", keyName);
  if ((await factsOf(keyFile)) === undefined)
    throw new MachineError("ssh-key-unusable", `The key of boot2docker is not there: ${keyFile}`, {
      hint: "It is the only one that its disk lets in.",
    });
  return { info, disk, cd: { kind: "iso", location: cd, checksum: undefined }, keyFile };
}

const whichHint = "Give --virtualbox-import-boot2docker-vm the name or the id of one that VBoxManage list vms shows.";

function refused(sentence: string, hint: string): MachineError {
  return new MachineError("driver-options", sentence, { hint });
}

/** Copies the disk and the key; sizes are the other machine's. Gives where the key is then, and the CD. */
export async function importVm(
  place: Workplace,
  diskFile: string,
  signal: AbortSignal,
): Promise<{ readonly keyFile: string; readonly cd: IsoSource }> {
  const { config, context, tool } = place;
  const { info, disk, cd, keyFile } = await findImport(place, signal);
  config.CPU = info.cpus;
  config.Memory = info.memory;
  const key = path.join(context.machineDir, "id_rsa");
  await copyLarge(keyFile, key);
  if ((await factsOf(`${keyFile}.pub`)) !== undefined) await copyLarge(`${keyFile}.pub`, `${key}.pub`);
  // The copy has an id of its own; the source stays as it is.
  await tool.run(["clonemedium", "disk", disk, diskFile, "--format", "VDI"], signal, { timeoutMs: context.operationMs });
  return { keyFile: key, cd };
}
