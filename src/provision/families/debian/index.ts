/** Debian, Ubuntu and what is built on them: apt. */
import type { HostFacts } from "../../facts/facts.ts";
import { distributionInstallation } from "../../install/distribution.ts";
import { dockerKeys, dockerRepositoryInstallation, repositoryRoot } from "../../install/docker-repository.ts";
import type { PackageRepository } from "../../install/installation.ts";
import { scriptInstallation } from "../../install/script-from-url.ts";
import { staticInstallation } from "../../install/static-binaries.ts";
import type { EngineRequest } from "../../provision-request.ts";
import type { Family } from "../family.ts";
import { apt } from "./apt.ts";

export const debian: Family = {
  name: "debian",
  ids: ["debian", "ubuntu", "raspbian", "linuxmint", "pop", "kali", "devuan"],
  manager: () => apt,
  automatic: ["docker", "distro"],
  installation(source, facts, engine) {
    if (source === "docker") {
      const repository = repositoryFor(facts, engine);
      return repository && dockerRepositoryInstallation(repository, apt, facts, engine);
    }
    if (source === "distro") return distributionInstallation({ engine: "docker.io", optional: ["docker-cli"] }, apt, engine);
    return source === "script" ? scriptInstallation(facts, engine, apt) : staticInstallation(facts, engine, apt);
  },
};

/** dpkg's names of architectures, by `uname -m`. */
const architectures: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  aarch64: "arm64",
  armv7l: "armhf",
  armv6l: "armhf",
  s390x: "s390x",
  ppc64le: "ppc64el",
};

interface Suite {
  readonly distribution: "debian" | "ubuntu" | "raspbian";
  readonly codename: string;
}

/** Docker has packages for Debian, Ubuntu and Raspbian; a derivative takes those of what it is built on. */
function suiteOf({ os }: HostFacts): Suite | undefined {
  if (os.id === "raspbian") return named("raspbian", os.codename);
  if (os.ubuntuCodename !== "") return named("ubuntu", os.ubuntuCodename);
  if (os.id === "ubuntu" || os.id === "debian") return named(os.id, os.codename);
  return os.idLike.includes("debian") && !os.idLike.includes("ubuntu") ? named("debian", os.codename) : undefined;
}

function named(distribution: Suite["distribution"], codename: string): Suite | undefined {
  return codename === "" ? undefined : { distribution, codename };
}

function repositoryFor(facts: HostFacts, engine: EngineRequest): PackageRepository | undefined {
  const suite = suiteOf(facts);
  const architecture = architectures[facts.architecture];
  if (suite === undefined || architecture === undefined) return undefined;
  const url = `${repositoryRoot(engine)}/linux/${suite.distribution}`;
  const keyFile = "/etc/apt/keyrings/docker.asc";
  return {
    url: `${url} ${suite.codename}`,
    indexUrl: `${url}/dists/${suite.codename}/Release`,
    keyUrl: `${url}/gpg`,
    keyFile,
    sourceFile: "/etc/apt/sources.list.d/docker.list",
    sourceText: `deb [arch=${architecture} signed-by=${keyFile}] ${url} ${suite.codename} stable\n`,
    fingerprints: engine.packageKeys ?? [dockerKeys.deb],
  };
}
