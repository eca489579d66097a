/** Docker's static binaries: for systems without a package. The unit or init script is written with the configuration. */
import { sh } from "../shell/shell-text.ts";
import type { HostFacts } from "../facts/facts.ts";
import type { EngineRequest } from "../provision-request.ts";
import { repositoryRoot } from "./docker-repository.ts";
import type { Installation } from "./installation.ts";
import { neededTools } from "./needed-tools.ts";
import type { PackageManager } from "./package-manager.ts";

const folder = "/usr/local/bin";

/** Docker's names of architectures, by `uname -m`. */
const architectures: Readonly<Record<string, string>> = {
  x86_64: "x86_64",
  aarch64: "aarch64",
  armv7l: "armhf",
  armv6l: "armel",
  s390x: "s390x",
  ppc64le: "ppc64le",
};

export function staticInstallation(facts: HostFacts, engine: EngineRequest, manager?: PackageManager): Installation {
  const url = `${repositoryRoot(engine)}/linux/static/stable/${architectures[facts.architecture] ?? facts.architecture}`;
  const tools = neededTools(facts, manager, url, ["iptables"]);
  return {
    source: "static",
    title: `static binaries from ${url}`,
    steps: [...tools.steps, `download docker-${engine.version ?? "(newest)"}.tgz from ${url}, unpack it into ${folder}`],
    remarks:
      manager === undefined && !facts.programs.has("iptables")
        ? ["iptables is not installed, and the engine does not start without it unless --engine-opt iptables=false says so"]
        : [],
    files: ["docker", "dockerd", "docker-init", "docker-proxy", "containerd", "containerd-shim-runc-v2", "ctr", "runc"].map(
      (name) => `${folder}/${name}`,
    ),
    manager,
    install: () => sh`
${tools.script}
work=$(mktemp -d) || exit 1
version=${engine.version ?? ""}
if [ -z "$version" ]; then
  download ${`${url}/`} "$work/index" || fail download-failed ${`The list of engines at ${url} could not be read`}
  version=$(grep -o 'docker-[0-9][0-9.]*\.tgz' "$work/index" | sed 's/^docker-//; s/\.tgz$//' | sort -t . -k 1,1n -k 2,2n -k 3,3n | tail -n 1)
  [ -n "$version" ] || fail download-failed ${`No engine is listed at ${url}`}
fi
download ${`${url}/`}"docker-$version.tgz" "$work/docker.tgz" || fail download-failed ${`The engine could not be downloaded from ${url}`}
mkdir "$work/unpacked"
tar -xzf "$work/docker.tgz" -C "$work/unpacked" || fail download-failed ${`The engine downloaded from ${url} is not a usable archive`}
before_engine_changes
for file in "$work"/unpacked/docker/*; do put_program "$file" ${folder}/"$(basename "$file")"; done
rm -rf "$work"
getent group docker > /dev/null 2>&1 || groupadd -r docker 2> /dev/null || addgroup -S docker 2> /dev/null || :`,
  };
}
