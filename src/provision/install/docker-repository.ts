/** Docker's own package repository, or a mirror of it, for the families that have one. */
import { joinLines, sh, type ShellText } from "../shell/shell-text.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { putFile } from "../shell/changing.ts";
import type { HostFacts } from "../facts/facts.ts";
import type { EngineRequest } from "../provision-request.ts";
import type { Installation, PackageRepository } from "./installation.ts";
import { neededTools } from "./needed-tools.ts";
import type { PackageManager } from "./package-manager.ts";

const dockerRoot = "https://download.docker.com";

/** Docker's release keys: https://docs.docker.com/engine/install/ (deb), and the same page for rpm. */
export const dockerKeys = {
  deb: "9DC858229FC7DD38854AE2D88D81803C0EBFCD88",
  rpm: "060A61C51B558A7F742B77AAC52FEB6B621E9F35",
} as const;

/** Root of the repository without a slash at its end. */
export function repositoryRoot(engine: EngineRequest): string {
  if (engine.packageMirror !== undefined && !/^https?:/u.test(URL.parse(engine.packageMirror)?.protocol ?? "")) {
    throw new MachineError(
      "usage",
      `"${engine.packageMirror}" is not the URL of a package mirror: it must begin with http:// or https://`,
    );
  }
  return (engine.packageMirror ?? dockerRoot).replace(/\/+$/u, "");
}

/** Packages that make an engine; those with `versioned` follow `--engine-version`. */
const enginePackages = ["docker-ce", "docker-ce-cli"] as const;
/** Missing ones are left out: older systems have no plugins. */
const companions = ["containerd.io", "docker-buildx-plugin", "docker-compose-plugin"] as const;

export function dockerRepositoryInstallation(
  repository: PackageRepository,
  manager: PackageManager,
  facts: HostFacts,
  engine: EngineRequest,
): Installation {
  const tools = neededTools(facts, manager, repository.url);
  return {
    source: "docker",
    title: `docker-ce from ${repository.url}`,
    steps: [
      ...tools.steps,
      `add the package repository ${repository.url} (${repository.sourceFile})`,
      `trust its key ${repository.fingerprints.join(" or ")} (${repository.keyFile})`,
      `install ${enginePackages.join(", ")} ${engine.version === undefined ? "(newest)" : engine.version}, ${companions.join(", ")} with ${manager.name}, and what they depend on`,
    ],
    files: [repository.keyFile, repository.sourceFile],
    repository,
    manager,
    prepare: prepareScript(repository, tools.script),
    rehearse: rehearseScript(repository, tools.packages, engine.version),
    install: (key) => installScript(repository, key, engine.version),
  };
}

/** Never fails for an unreachable repository: whether that is the end is decided here, not on the host. */
function prepareScript(repository: PackageRepository, bringTools: ShellText | undefined): ShellText {
  return joinLines(
    sh`unreachable() { printf '@fact\tunreachable\t%s\n' "$1"; }
key=$(mktemp) || exit 1`,
    fetchKey(repository, bringTools),
    sh`fetch_key
rm -f "$key"`,
  );
}

/**
 * The key into the file `$key`, and told. A name that does not resolve ends it before anything is installed for the
 * download, unless a proxy does the resolving.
 */
function fetchKey(repository: PackageRepository, bringTools: ShellText | undefined): ShellText {
  const host = new URL(repository.indexUrl).hostname.replace(/[[\]]/gu, "");
  return sh`
fetch_key() {
  if [ -z "$https_proxy$HTTPS_PROXY$http_proxy$HTTP_PROXY" ] && has getent && ! getent ahosts ${host} > /dev/null; then
    unreachable ${`the name ${host} does not resolve there`}
    return
  fi
  ${bringTools}
  reason=$(download ${repository.indexUrl} "$key" 2>&1) || { unreachable "$(printf '%s' "$reason" | tail -n 1)"; return; }
  reason=$(download ${repository.keyUrl} "$key" 2>&1) || { unreachable "$(printf '%s' "$reason" | tail -n 1)"; return; }
  while IFS= read -r line || [ -n "$line" ]; do printf '@fact\tkey\t%s\n' "$line"; done < "$key"
  fetched=yes
}`;
}

/** The repository's lists are read in the rehearsal's folder, checked by a key that lies there as well. */
function rehearseScript(repository: PackageRepository, lacking: readonly string[], version: string | undefined): ShellText {
  const { keyFile, sourceFile, sourceText } = repository;
  return joinLines(
    // Without the usual tools apt's own may do; what they cannot reach, the usual ones might.
    sh`key=$room/key.asc; fetched=; lacking=
unreachable() { [ -z "$lacking" ] || fail - "$lacking must be installed first"; tell "unreachable $1"; }`,
    fetchKey(repository, lacking.length > 0 ? sh`lacking=${lacking.join(", ")}` : undefined),
    sh`fetch_key
[ "$fetched" = yes ] || exit 0
printf '%s' ${sourceText} | sed "s|"${keyFile}"|$key|" > "$room"/${sourceFile.slice(sourceFile.lastIndexOf("/") + 1)}
pkg_try_in "$room" "$room"/${sourceFile.slice(sourceFile.lastIndexOf("/") + 1)}`,
    bringing(version),
  );
}

function installScript(repository: PackageRepository, key: string, version: string | undefined): ShellText {
  return joinLines(
    putFile(repository.keyFile, "0644", key),
    putFile(repository.sourceFile, "0644", repository.sourceText),
    sh`pkg_trust ${repository.keyFile}
pkg_refresh_one ${repository.sourceFile}`,
    bringing(version),
  );
}

function bringing(version: string | undefined): ShellText {
  return bringPackages(
    joinLines(
      ...enginePackages.map((name) => addPackage(name, version)),
      sh`optional=${companions.join(" ")}
wanted="$wanted$(pkg_offered $optional)"`,
    ),
  );
}

/** Hands packages to `$bring`: those that were foretold, or those that `choose` puts into `$wanted`. */
export function bringPackages(choose: ShellText): ShellText {
  return sh`
choose_packages() {
wanted=
${choose}
}
wanted=$foretold_words
[ -n "$wanted" ] || choose_packages
before_engine_changes
"$bring" $wanted`;
}

/** Adds a package to `$wanted`, in the version asked for. */
export function addPackage(name: string, version: string | undefined): ShellText {
  if (version === undefined) return sh`wanted="$wanted ${name}"`;
  return sh`spec=$(pkg_spec ${name} ${version})
[ -n "$spec" ] || { hint "Choose another version, or another source with --engine-source."; fail package-manager ${`No ${name} of version ${version} can be had`}; }
wanted="$wanted $spec"`;
}
