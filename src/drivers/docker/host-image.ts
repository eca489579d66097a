/** The image of a machine: brought by the user, or built here from Debian packages and imported into the engine. */
import { createHash } from "node:crypto";
import * as path from "node:path";
import { lockCached } from "../../driver-kit/cache-lock.ts";
import { inPhase } from "../../driver-kit/phase.ts";
import { buildRootfs, clientPackages, type RootfsRecipe } from "../../driver-kit/images/debian-rootfs.ts";
import type { DriverContext } from "../../driver-kit/driver.ts";
import { isApiError, type EngineApi } from "../../engine/engine-api.ts";
import { MachineError, messageOf } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { makeScratchFolder, readStreamOf, removeTree, requireFreeBytes } from "../../system/disk-files.ts";
import { makePrivateDirectory } from "../../system/files.ts";

/** Debian suites that images are built from; the first is the default. */
export const imageSuites: readonly string[] = ["trixie", "bookworm", "bullseye", "forky", "sid"];

const transferTimeoutMs = 10 * 60_000;
const scratchBytes = 1_000 * 1024 * 1024;

const packages = [
  "systemd-sysv",
  "dbus",
  "libpam-systemd",
  "openssh-server",
  "sudo",
  "ca-certificates",
  "curl",
  "rsync",
  "procps",
  "iproute2",
  "iptables",
  "docker.io",
];

/** What has no business in a container: it touches the computer's devices, waits for links that are not ours, or asks. */
const masked = [
  "systemd-udevd.service",
  "systemd-udev-trigger.service",
  "systemd-networkd-wait-online.service",
  "systemd-firstboot.service",
  "systemd-modules-load.service",
  "systemd-timesyncd.service",
  "sshd-keygen.service",
  "getty.target",
  "console-getty.service",
  "apt-daily.timer",
  "apt-daily-upgrade.timer",
  "dpkg-db-backup.timer",
];

const finish = `set -eu
cd "$1"
rm -f etc/ssh/ssh_host_* etc/hostname
: > etc/machine-id
printf 'HostKey /etc/ssh/ssh_host_ed25519_key\\nPasswordAuthentication no\\n' > etc/ssh/docker-machine.conf
if [ -d etc/ssh/sshd_config.d ]; then mv etc/ssh/docker-machine.conf etc/ssh/sshd_config.d/10-docker-machine.conf; else cat etc/ssh/docker-machine.conf >> etc/ssh/sshd_config; fi
chroot . systemctl mask ${masked.join(" ")}`;

/** Settings of the imported image, as lines of a Dockerfile. */
const changes = ['CMD ["/sbin/init"]', "LABEL docker-machine.image=host"];

function hostRecipe(suite: string, mirror: string): RootfsRecipe {
  return { suite, packages: [...packages, ...clientPackages(suite)], prepare: "", finish, mirror };
}

/** Name of the built image; it changes with what goes into it. */
export function builtImageName(suite: string): string {
  const { packages: included } = hostRecipe(suite, "");
  const hash = createHash("sha256")
    .update(JSON.stringify([included, finish, changes]))
    .digest("hex")
    .slice(0, 12);
  return `docker-machine/host:${suite}-${hash}`;
}

/** Name in the engine of what `--docker-image` says, and the suite to build it from unless the user brings it. */
function nameOf(wanted: string): { readonly name: string; readonly suite?: string | undefined } {
  const suite = wanted === "build" ? imageSuites[0] : /^build:(.+)$/u.exec(wanted)?.[1];
  return suite === undefined ? { name: wanted } : { name: builtImageName(suite), suite };
}

/** Whether nothing needs to be built or pulled. */
export async function isImageThere(api: EngineApi, wanted: string, signal: AbortSignal): Promise<boolean> {
  return await isThere(api, nameOf(wanted).name, signal);
}

/** The image under its name in the engine, built or pulled if it is not there. Throws `image-unusable`, `program-missing`, `disk-full`. */
export async function provideImage(
  api: EngineApi,
  context: DriverContext,
  wanted: string,
  mirror: string,
  signal: AbortSignal,
): Promise<string> {
  const { name, suite } = nameOf(wanted);
  if (await isThere(api, name, signal)) return name;
  if (suite === undefined) await pull(api, context, name, signal);
  else await buildOnce(api, context, suite, mirror, name, signal);
  return name;
}

async function isThere(api: EngineApi, name: string, signal: AbortSignal): Promise<boolean> {
  try {
    await api.send("GET", `/images/${name}/json`, { signal });
    return true;
  } catch (error) {
    if (isApiError(error, 404)) return false;
    throw error;
  }
}

async function pull(api: EngineApi, context: DriverContext, name: string, signal: AbortSignal): Promise<void> {
  logTo(context.report, "info", `Pulling the image ${name}...`);
  try {
    const query = { fromImage: /:[^/]+$|@/u.test(name) ? name : `${name}:latest` };
    await api.follow("/images/create", { query, signal, timeoutMs: transferTimeoutMs }, () => {});
  } catch (error) {
    signal.throwIfAborted();
    throw new MachineError(
      "image-unusable",
      `The engine does not have the image ${name} and cannot pull it: ${messageOf(error)}`,
      {
        cause: error,
        hint: "Check the name, load the image into the engine, or use --docker-image build.",
      },
    );
  }
}

/** One process at a time; the others find the image when it is their turn. */
async function buildOnce(
  api: EngineApi,
  context: DriverContext,
  suite: string,
  mirror: string,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const folder = path.join(context.cacheDir, "docker");
  await makePrivateDirectory(folder);
  const work = { what: "The machine image", purpose: "build a machine image", holderDoes: "builds the same image" };
  await using _lock = await lockCached(context, path.join(folder, `${suite}.lock`), work, signal);
  if (await isThere(api, name, signal)) return;
  await requireFreeBytes(folder, scratchBytes, "Building an image");
  const scratch = await makeScratchFolder(path.join(folder, suite));
  try {
    await buildAndImport(api, context, suite, mirror, name, path.join(scratch, "rootfs.tar"), signal);
  } finally {
    await removeTree(scratch);
  }
}

async function buildAndImport(
  api: EngineApi,
  context: DriverContext,
  suite: string,
  mirror: string,
  name: string,
  tarFile: string,
  signal: AbortSignal,
): Promise<void> {
  logTo(context.report, "info", `Building a machine image from Debian packages (${suite}); this takes a minute, once...`);
  const { processes, report, clock } = context;
  await buildRootfs(hostRecipe(suite, mirror), tarFile, { processes, report, clock, signal });
  const colon = name.lastIndexOf(":");
  const query = { fromSrc: "-", repo: name.slice(0, colon), tag: name.slice(colon + 1), changes };
  const request = { query, body: readStreamOf(tarFile), signal, timeoutMs: transferTimeoutMs };
  await inPhase(context, "Importing the image", async () => await api.follow("/images/create", request, () => {}));
}
