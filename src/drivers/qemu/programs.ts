/** What must be installed on this computer, found before anything is made. */
import type { DriverContext } from "../../driver-kit/driver.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { factsOf } from "../../system/disk-files.ts";
import { qemuProgram } from "./qemu-arguments.ts";
import type { GuestArch } from "../../driver-kit/images/guest-arch.ts";
import { qemuMissing } from "./instance.ts";

/** The first with credentials from files and free page reporting. */
const oldestMajor = 6;
const versionTimeoutMs = 10_000;

/** The version of the installed QEMU. Throws `program-missing` with the command that installs it. */
export async function requireQemu(context: DriverContext, arch: GuestArch): Promise<string> {
  for (const program of [qemuProgram(arch), "qemu-img"]) {
    if ((await context.processes.find(program)) === undefined) throw qemuMissing(program, context.computer.os);
  }
  const result = await context.processes.run(qemuProgram(arch), ["--version"], { timeoutMs: versionTimeoutMs });
  const version = /version (\S+)/u.exec(result.stdout.toString("utf8"))?.[1] ?? "";
  if (Number.parseInt(version, 10) >= oldestMajor) return version;
  throw new MachineError(
    "program-missing",
    `QEMU ${version === "" ? "of an unknown version" : version} is too old: ${oldestMajor}.0 is the oldest that will do`,
  );
}

/** Where distributions and Homebrew put UEFI firmware for ARM. */
const armFirmware = [
  "/usr/share/AAVMF/AAVMF_CODE.fd",
  "/usr/share/edk2/aarch64/QEMU_EFI.fd",
  "/usr/share/qemu/edk2-aarch64-code.fd",
  "/opt/homebrew/share/qemu/edk2-aarch64-code.fd",
  "/usr/local/share/qemu/edk2-aarch64-code.fd",
];

/** Firmware that images with a boot loader need: none on PCs, whose BIOS is part of QEMU. */
export async function findFirmware(arch: GuestArch): Promise<string | undefined> {
  if (arch === "x64") return undefined;
  for (const file of armFirmware) if ((await factsOf(file)) !== undefined) return file;
  throw new MachineError("program-missing", "No UEFI firmware for ARM machines is installed on this computer", {
    hint: "Install it: sudo apt-get install --yes qemu-efi-aarch64",
  });
}

export type ShareMethod =
  | { readonly by: "virtiofs"; readonly program: string; readonly dialect: "rust" | "c" }
  | { readonly by: "9p" };

/** How a folder can be shared: virtiofs where its daemon is installed, else 9p, which the kernel of built images lacks. */
export async function chooseShareMethod(context: DriverContext, kernelHas9p: boolean): Promise<ShareMethod> {
  for (const candidate of ["virtiofsd", "/usr/libexec/virtiofsd", "/usr/lib/qemu/virtiofsd"]) {
    const program = await context.processes.find(candidate);
    if (program === undefined) continue;
    const version = await context.processes.run(program, ["--version"], { timeoutMs: versionTimeoutMs });
    // QEMU's own daemon, up to 7.2, says "virtiofsd version" and works for root alone.
    const dialect = version.stdout.includes("virtiofsd version") ? "c" : "rust";
    if (dialect === "rust" || context.computer.uid === 0) return { by: "virtiofs", program, dialect };
  }
  if (kernelHas9p) return { by: "9p" };
  throw new MachineError("program-missing", "virtiofsd, which shares folders with a machine, is not installed on this computer", {
    hint: "Install it: sudo apt-get install --yes virtiofsd",
  });
}
