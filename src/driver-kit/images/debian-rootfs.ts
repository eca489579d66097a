/**
 * Root file systems made on this computer from Debian packages by mmdebstrap, as root or in a user namespace. Drivers
 * that boot one (as a virtual machine, as a container) say what goes in; what it is packed into is theirs.
 */
import { MachineError } from "../../errors/machine-error.ts";
import { logTo, type Report } from "../../log/event.ts";
import type { Clock } from "../../system/clock.ts";
import { lastLineOf } from "../../system/last-line.ts";
import { LineSplitter } from "../../system/line-splitter.ts";
import type { ProcessRunner } from "../../system/process.ts";
import { beginPhase, type PhaseContext } from "../phase.ts";

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

export interface RootfsContext {
  readonly processes: ProcessRunner;
  readonly report: Report;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Suites whose docker.io has the client in it. */
const suitesWithoutClientPackage = new Set(["bullseye", "bookworm"]);

/** Packages by which the engine of `docker.io` gets its client. */
export function clientPackages(suite: string): readonly string[] {
  return suitesWithoutClientPackage.has(suite) ? [] : ["docker-cli"];
}

/** Generous: a slow mirror and an emulated disk. */
const buildTimeoutMs = 30 * 60_000;

export const rootfsPrograms = "sudo apt-get install --yes mmdebstrap debian-archive-keyring uidmap e2fsprogs";

/** Who is not root builds in a user namespace, with ids that /etc/subuid allots. */
const noOwnIds = /unable to pick chroot mode|newuidmap|newgidmap|subuid/iu;
const howToGetIds =
  'Allot this user ids for a name space of its own: sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 "$USER"; then run the command again.';
const howToRetry =
  "Check that a mirror of the Debian archive can be reached from here, and that the disk is not full; then run the command again.";

/** What nobody reads in a machine. */
const leftOut = ["/usr/share/man", "/usr/share/doc", "/usr/share/locale", "/usr/share/info"];

/**
 * By mmdebstrap's own --dpkgopt every archive of the base system would pass through a filter in Python, which takes longer
 * than unpacking it. And a build that is cut off is thrown away, so dpkg need not wait for the disk.
 */
const tuneDpkg = `cd "$1/etc/dpkg/dpkg.cfg.d"
printf 'path-exclude=%s/*\\n' ${leftOut.join(" ")} > docker-machine
echo force-unsafe-io > docker-machine-build`;
const cleanUp = `cd "$1"
rm -rf etc/dpkg/dpkg.cfg.d/docker-machine-build${leftOut.map((folder) => ` .${folder}`).join("")}`;

/** What mmdebstrap says when it begins one of the parts that take long, and what they are called. */
const phases: readonly (readonly [RegExp, string | undefined])[] = [
  [/^I: running apt-get update/u, "Installing a base system"],
  [/^I: installing remaining packages/u, "Installing the packages"],
  [/^I: creating tarball/u, "Packing the files"],
  [/^I: (?:done|success)/u, undefined],
];

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
export async function buildRootfs(recipe: RootfsRecipe, tarFile: string, context: RootfsContext): Promise<void> {
  await requireRootfsPrograms(context.processes);
  const complaints: string[] = [];
  const followPhase = phaseFollower(context);
  const stderr = new LineSplitter((line) => {
    followPhase(line);
    if (line.startsWith("I: ")) logTo(context.report, "debug", line.slice(3));
    const last = complaints.at(-1);
    if (/^(?:E|Err|W):/u.test(line)) complaints.push(line);
    // What apt could not fetch stands in one line, and why in the next.
    else if (line.startsWith("  ") && last?.startsWith("Err:") === true)
      complaints[complaints.length - 1] = `${last}: ${line.trim()}`;
  });
  const result = await context.processes.run("mmdebstrap", mmdebstrapArguments(recipe, tarFile), {
    signal: context.signal,
    timeoutMs: buildTimeoutMs,
    onStderr: (chunk) => stderr.push(chunk),
  });
  stderr.end();
  if (result.status === 0) return;
  const reason = reasonOf(complaints, result.stderr);
  throw new MachineError("image-unusable", `The image could not be built from Debian packages: ${reason}`, {
    hint: noOwnIds.test(reason) ? howToGetIds : howToRetry,
  });
}

/** Reports the phases of a build from its output, line by line. */
function phaseFollower(context: PhaseContext): (line: string) => void {
  let endPhase: (() => void) | undefined;
  return (line) => {
    const found = phases.find(([pattern]) => pattern.test(line));
    if (found === undefined) return;
    endPhase?.();
    endPhase = found[1] === undefined ? undefined : beginPhase(context, found[1]);
  };
}

export function mmdebstrapArguments(recipe: RootfsRecipe, tarFile: string): string[] {
  const target = [recipe.suite, tarFile];
  return [
    "--variant=minbase",
    "--format=tar",
    `--include=${recipe.packages.join(",")}`,
    '--aptopt=APT::Install-Recommends "false"',
    // An archive snapshot or a slow mirror may be past the date in its Release file.
    ...(recipe.suite === "sid" ? ['--aptopt=Acquire::Check-Valid-Until "false"'] : []),
    `--essential-hook=${tuneDpkg}`,
    ...(recipe.prepare === "" ? [] : [`--essential-hook=${recipe.prepare}`]),
    ...(recipe.finish === "" ? [] : [`--customize-hook=${recipe.finish}`]),
    `--customize-hook=${cleanUp}`,
    ...(recipe.mirror === "" ? target : [...target, recipe.mirror]),
  ];
}

/** The first error is the cause; what follows is mmdebstrap giving up. */
function reasonOf(complaints: readonly string[], stderr: Buffer): string {
  const first = complaints.find((line) => line.startsWith("E:") || line.startsWith("Err:")) ?? complaints[0];
  return (first ?? lastLineOf(stderr)).replace(/^\w+:(?:\d+ | ?)/u, "");
}
