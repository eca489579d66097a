/** The repositories of operating systems beyond Debian, and Docker's for them, served to the hosts of the lab. */
import { readFile } from "node:fs/promises";
import * as path from "node:path";
import { quoteWord } from "../../../src/ssh/shell-quote.ts";
import type { LabEngine } from "../engine.ts";
import type { ImageStore } from "../images.ts";
import { systems, type ManagerName, type SystemName } from "../systems/systems.ts";
import { requireFolder, type FolderRecipe } from "./built-folder.ts";
import { serveFolder, type ServedFolder } from "./served-folder.ts";

/** Its `url` takes the place of `https://download.docker.com` as well. */
export interface SystemRepositories extends ServedFolder {
  /** Of the key that signs Docker's packages, or the system's own where Docker has none for it; 40 hexadecimal digits. */
  readonly keyFingerprint: string;
  /** The engine's versions, oldest first. */
  readonly versions: readonly [string, string];
  /** Shell for {@link StartOptions.prepare}: the system's own sources, and the key that it trusts. */
  readonly sources: string;
  /** Text of a key: `docker` (of RPMs), `system`, `stranger`, `expired`. */
  key(name: string): Promise<string>;
}

const rpm: FolderRecipe = {
  what: "the lab's RPM repositories",
  image: "family-packager",
  scripts: ["engine-binaries.sh", "rpm.sh"],
};

const recipes: Readonly<Record<ManagerName, FolderRecipe>> = {
  dnf: rpm,
  zypper: rpm,
  pacman: {
    what: "the lab's repository for pacman",
    image: "family-packager",
    scripts: ["engine-binaries.sh", "pacman-package.sh", "arch.sh"],
  },
  apk: { what: "the lab's repository for Alpine", image: "family-packager", scripts: ["engine-binaries.sh", "alpine.sh"] },
};

export async function serveSystemRepositories(
  engine: LabEngine,
  images: ImageStore,
  name: SystemName,
): Promise<SystemRepositories> {
  const { manager, repository, osRelease } = systems[name];
  const folder = await requireFolder(engine, images, recipes[manager]);
  const served = await serveFolder(folder, engine.segment.gateway);
  const text = async (file: string): Promise<string> => (await readFile(path.join(folder, file), "utf8")).trim();
  const [older = "", newer = ""] = (await text("versions")).split("\n");
  return {
    ...served,
    keyFingerprint: await text("fingerprint"),
    versions: [older, newer],
    sources: sourcesOf[manager](`${served.url}/system/${repository}`, osRelease.NAME, await text("keys/system")),
    key: (key) => text(`keys/${key}`),
  };
}

const sourcesOf: Readonly<Record<ManagerName, (url: string, name: string, key: string) => string>> = {
  dnf: (url, name, key) => `
printf '%s\\n' ${quoteWord(key)} > /etc/pki/rpm-gpg/RPM-GPG-KEY-system
cat > /etc/yum.repos.d/system.repo << 'END'
[baseos]
name=${name} - BaseOS
baseurl=${url}
gpgcheck=1
enabled=1
gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-system
END`,
  // The system's keys are in RPM's database from its installation on.
  zypper: (url, name, key) => `
printf '%s\\n' ${quoteWord(key)} > /etc/pki/rpm-gpg/RPM-GPG-KEY-system
rpm --import /etc/pki/rpm-gpg/RPM-GPG-KEY-system
cat > /etc/zypp/repos.d/repo-oss.repo << 'END'
[repo-oss]
name=${name} - Main Repository
enabled=1
autorefresh=1
baseurl=${url}
type=rpm-md
gpgcheck=1
END`,
  pacman: (url, _name, key) => `
printf 'Server = %s\\n' ${url} > /etc/pacman.d/mirrorlist
printf '%s\\n' ${quoteWord(key)} > /root/system.key
{ pacman-key --add /root/system.key; pacman-key --lsign-key system@localhost; } > /dev/null 2>&1
gpgconf --homedir /etc/pacman.d/gnupg --kill all
rm /root/system.key`,
  // A fresh Alpine has main alone.
  apk: (url) => `mkdir -p /etc/apk; echo ${url}/main > /etc/apk/repositories`,
};
