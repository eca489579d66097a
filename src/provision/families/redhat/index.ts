/** Red Hat Enterprise Linux, what is built from it, Fedora and Amazon Linux: dnf, or yum where that is all there is. */
import type { HostFacts } from "../../facts/facts.ts";
import { distributionInstallation, type DistributionPackages } from "../../install/distribution.ts";
import { dockerKeys, dockerRepositoryInstallation, repositoryRoot } from "../../install/docker-repository.ts";
import type { PackageRepository } from "../../install/installation.ts";
import { scriptInstallation } from "../../install/script-from-url.ts";
import { staticInstallation } from "../../install/static-binaries.ts";
import type { EngineRequest } from "../../provision-request.ts";
import { sh } from "../../shell/shell-text.ts";
import type { Family } from "../family.ts";
import { dnf, yum } from "./dnf.ts";

function managerOf(facts: HostFacts): typeof dnf {
  return facts.packageManagers.includes("yum") && !facts.packageManagers.includes("dnf") ? yum : dnf;
}

export const redhat: Family = {
  name: "redhat",
  ids: ["rhel", "centos", "rocky", "almalinux", "ol", "amzn", "fedora", "scientific", "rhel-like"],
  manager: managerOf,
  automatic: ["docker", "distro"],
  installation(source, facts, engine) {
    // An image-based system has a read-only /usr and layers packages at the next boot only.
    if (facts.packageManagers.includes("rpm-ostree")) return source === "static" ? staticInstallation(facts, engine) : undefined;
    if (source === "docker") {
      const repository = repositoryFor(facts, engine);
      return repository && dockerRepositoryInstallation(repository, managerOf(facts), facts, engine);
    }
    if (source === "distro") {
      const packages = packagesOf(facts);
      return packages && distributionInstallation(packages, managerOf(facts), engine);
    }
    return source === "script"
      ? scriptInstallation(facts, engine, managerOf(facts))
      : staticInstallation(facts, engine, managerOf(facts));
  },
};

function majorOf(facts: HostFacts): number {
  return Number.parseInt(facts.os.versionId, 10);
}

/** Since version 8, Red Hat and its rebuilds have podman in the engine's place. */
function packagesOf(facts: HostFacts): DistributionPackages | undefined {
  if (facts.os.id === "fedora") return { engine: "moby-engine", optional: ["docker-cli"] };
  if (facts.os.id === "amzn") return { engine: "docker", before: majorOf(facts) === 2 ? amazonExtras : undefined };
  return majorOf(facts) <= 7 ? { engine: "docker" } : undefined;
}

const amazonExtras = {
  title: 'enable the topic "docker" of amazon-linux-extras',
  script: sh`amazon-linux-extras enable docker > /dev/null`,
};

/** Docker's folder: rebuilds of Red Hat's use those for CentOS. Amazon Linux is too different for either. */
function distributionOf({ os }: HostFacts): string | undefined {
  if (os.id === "amzn") return undefined;
  return os.id === "fedora" || os.id === "rhel" ? os.id : "centos";
}

function repositoryFor(facts: HostFacts, engine: EngineRequest): PackageRepository | undefined {
  const distribution = distributionOf(facts);
  const major = majorOf(facts);
  if (distribution === undefined || Number.isNaN(major)) return undefined;
  const url = `${repositoryRoot(engine)}/linux/${distribution}`;
  const base = `${url}/${major}/${facts.architecture}/stable`;
  const keyFile = "/etc/pki/rpm-gpg/RPM-GPG-KEY-docker";
  return {
    url: base,
    indexUrl: `${base}/repodata/repomd.xml`,
    keyUrl: `${url}/gpg`,
    keyFile,
    sourceFile: "/etc/yum.repos.d/docker-ce.repo",
    sourceText: `[docker-ce-stable]\nname=Docker CE\nbaseurl=${base}\nenabled=1\ngpgcheck=1\ngpgkey=file://${keyFile}\n`,
    fingerprints: engine.packageKeys ?? [dockerKeys.rpm],
  };
}
