import type { PackageManager } from "../../install/package-manager.ts";
import { sh } from "../../shell/shell-text.ts";

/** dnf and its elder yum, which take the same words here. They are told not to wait for a lock: `managed` does, with a bound. */
function rpmManager(tool: "dnf" | "yum"): PackageManager {
  return {
    name: tool,
    functions: sh`
pkg_busy='Another app is currently holding|is running as pid|Waiting for process with pid|exit_on_lock|transaction lock'
pkg_list() { rpm -qa --qf '%{NAME}\n'; }
rpm_tool() { managed ${tool} -y --setopt=exit_on_lock=True "$@"; }
pkg_refresh() { :; }
pkg_refresh_one() { :; }
pkg_trust() { rpm --import "$1" || fail package-manager "rpm did not accept the key $1"; }
pkg_available() { ${tool} -q --setopt=exit_on_lock=True list available "$1" > /dev/null 2>&1 || rpm -q "$1" > /dev/null 2>&1; }
pkg_spec() {
  ${tool} -q --showduplicates list "$1" 2> /dev/null | awk -v wanted="$2" '
    { version = $2; sub(/^[0-9]+:/, "", version) }
    index(version, wanted) == 1 && substr(version, length(wanted) + 1) !~ /^[0-9]/ { found = version }
    END { if (found != "") print found }' | sed "s/^/$1-/"
}
pkg_install() { rpm_tool ${tool === "dnf" && sh`--setopt=install_weak_deps=False`} install "$@" || fail package-manager ${`${tool} could not install`}" $* on $label"; }
# A name with a version is a package to install, a bare name one to bring up to date.
pkg_upgrade() {
  for word in "$@"; do
    case $word in *-[0-9]*) rpm_tool install "$word" ;; *) rpm_tool update "$word" ;; esac || fail package-manager "$word could not be upgraded"
  done
}
pkg_remove() { rpm_tool remove "$@"; }
`,
  };
}

export const dnf = rpmManager("dnf");
export const yum = rpmManager("yum");
