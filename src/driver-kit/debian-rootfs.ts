/**
 * Root file systems made on this computer from Debian packages by mmdebstrap, as root or in a user namespace. Drivers
 * that boot one (as a virtual machine, as a container) say what goes in; what it is packed into is theirs.
 */
import { MachineError } from "../errors/machine-error.ts";
import { logTo, type Report } from "../log/event.ts";
import type { ProcessRunner } from "../system/process.ts";

export interface RootfsRecipe {
  readonly suite: string;
  readonly packages: readonly string[];
  /** Shell commands run before the packages are configured; the new root is "$1". */
  readonly prepare: string;
  /** Shell commands run when all packages are installed; the new root is "$1". */
  readonly finish: string;
  /** URL of a mirror of the Debian archive, or "" for Debian's own with its security updates. */
  readonly mirror: string;
}

export interface RootfsPorts {
  readonly processes: ProcessRunner;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/** Generous: a slow mirror and an emulated disk. */
const buildTimeoutMs = 30 * 60_000;

export const rootfsPrograms = "sudo apt-get install --yes mmdebstrap debian-archive-keyring uidmap e2fsprogs";

/** What nobody reads in a machine. */
const leftOut = ["/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*"];

/** Throws `program-missing`, with the command that installs it, when root file systems cannot be made here. */
export async function requireRootfsPrograms(processes: ProcessRunner): Promise<void> {
  if ((await processes.find("mmdebstrap")) !== undefined) return;
  throw new MachineError(
    "program-missing",
    "mmdebstrap, which builds images from Debian packages, is not installed on this computer",
    {
      hint: `Install it: ${rootfsPrograms}`,
    },
  );
}

/** Writes the root file system as a tar archive. Throws `program-missing`, `image-unusable`, or the signal's reason. */
export async function buildRootfs(recipe: RootfsRecipe, tarFile: string, ports: RootfsPorts): Promise<void> {
  await requireRootfsPrograms(ports.processes);
  const complaints: string[] = [];
  const result = await ports.processes.run("mmdebstrap", mmdebstrapArguments(recipe, tarFile), {
    signal: ports.signal,
    timeoutMs: buildTimeoutMs,
    onStderr: (chunk) => {
      for (const line of chunk.toString("utf8").split("\n")) {
        if (line.startsWith("I: ")) logTo(ports.report, "debug", line.slice(3));
        if (/^(?:E|Err|W):/u.test(line)) complaints.push(line);
      }
    },
  });
  if (result.status === 0) return;
  throw new MachineError(
    "image-unusable",
    `The image could not be built from Debian packages: ${reasonOf(complaints, result.stderr)}`,
    {
      hint: "Check that a mirror of the Debian archive can be reached from here, and that the disk is not full; then run the command again.",
    },
  );
}

export function mmdebstrapArguments(recipe: RootfsRecipe, tarFile: string): string[] {
  const target = [recipe.suite, tarFile];
  return [
    "--variant=minbase",
    "--format=tar",
    `--include=${recipe.packages.join(",")}`,
    ...leftOut.map((glob) => `--dpkgopt=path-exclude=${glob}`),
    '--aptopt=APT::Install-Recommends "false"',
    // An archive snapshot or a slow mirror may be past the date in its Release file.
    ...(recipe.suite === "sid" ? ['--aptopt=Acquire::Check-Valid-Until "false"'] : []),
    ...(recipe.prepare === "" ? [] : [`--essential-hook=${recipe.prepare}`]),
    ...(recipe.finish === "" ? [] : [`--customize-hook=${recipe.finish}`]),
    ...(recipe.mirror === "" ? target : [...target, recipe.mirror]),
  ];
}

/** The first error is the cause; what follows is mmdebstrap giving up. */
function reasonOf(complaints: readonly string[], stderr: Buffer): string {
  const first = complaints.find((line) => line.startsWith("E:") || line.startsWith("Err:")) ?? complaints[0];
  return (first ?? stderr.toString("utf8").trim().split("\n").at(-1) ?? "").replace(/^\w+: ?/u, "");
}
