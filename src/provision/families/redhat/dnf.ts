import type { PackageManager } from "../../install/package-manager.ts";
import { rpmFunctions } from "../../install/rpm.ts";
import { sh } from "../../shell/shell-text.ts";

/** dnf and its elder yum, which take the same words here. They are told not to wait for a lock: `managed` does, with a bound. */
function rpmManager(tool: "dnf" | "yum"): PackageManager {
  const weak = tool === "dnf" && sh`--setopt=install_weak_deps=False`;
  const erasing = tool === "dnf" && sh`--allowerasing`;
  return {
    name: tool,
    functions: sh`
pkg_busy='Another app is currently holding|is running as pid|Waiting for process with pid|exit_on_lock|transaction lock'
${rpmFunctions}
rpm_sources=
rpm_tool() { managed ${tool} -y --setopt=exit_on_lock=True $rpm_sources "$@"; }
pkg_refresh() { :; }
pkg_refresh_one() { :; }
pkg_available() { ${tool} -q --setopt=exit_on_lock=True $rpm_sources list available "$1" > /dev/null 2>&1 || rpm -q "$1" > /dev/null 2>&1; }
pkg_spec() {
  ${tool} -q $rpm_sources --showduplicates list "$1" 2> /dev/null | awk -v wanted="$2" '
    { version = $2; sub(/^[0-9]+:/, "", version) }
    index(version, wanted) == 1 && substr(version, length(wanted) + 1) !~ /^[0-9]/ { found = version }
    END { if (found != "") print found }' | sed "s/^/$1-/"
}
pkg_try_in() { [ -z "$2" ] || { cp "$2" "$1/" && rpm_sources="--setopt=reposdir=/etc/yum.repos.d,$1"; }; }
pkg_preview() {
  outlook=$(COLUMNS=200 ${tool} --assumeno --setopt=exit_on_lock=True $rpm_sources ${weak} ${erasing} install "$@" 2>&1)
  case $outlook in *"Transaction Summary"*|*"Nothing to do"*) ;; *) printf '%s\n' "$outlook" >&2; return 1 ;; esac
  printf '%s\n' "$outlook" | awk '
    function bare(text) { sub(/\.(noarch|x86_64|aarch64|i686|armv7hl|ppc64le|s390x|riscv64)$/, "", text); return text }
    function tell(name, version) {
      if (part == "install") print "install " name " " version
      else if (part == "remove") print "remove " name " " version
      else if (part == "replace") print "replace " name " - " version
    }
    /^Transaction Summary/ { exit }
    /^(Installing|Installing dependencies|Installing weak dependencies|Installing group\/module packages):/ { part = "install"; next }
    /^(Upgrading|Updating|Updating for dependencies|Downgrading|Reinstalling):/ { part = "replace"; next }
    /^(Removing|Removing dependent packages|Removing for dependencies|Removing unused dependencies|Erasing):/ { part = "remove"; next }
    /^[A-Z]/ { part = ""; next }
    part == "" { next }
    $1 == "replacing" { if (bare($2) != last) print "remove " bare($2) " " ($3 ~ /^(noarch|x86_64|aarch64|i686|armv7hl|ppc64le|s390x|riscv64)$/ ? $4 : $3); next }
    NF == 1 { last = $1; next }
    /^ +[^ ]+ +(noarch|x86_64|aarch64|i686|armv7hl|ppc64le|s390x|riscv64) / { last = $1; tell($1, $3); next }
    $1 ~ /^(noarch|x86_64|aarch64|i686|armv7hl|ppc64le|s390x|riscv64)$/ { tell(last, $2) }'
}
rpm_erasing() { [ "$may_remove" = yes ] && printf '%s' ${erasing}; }
pkg_install() {
  spare "$@"
  rpm_tool ${weak} $(rpm_erasing) install "$@" || fail package-manager ${`${tool} could not install`}" $* on $label"
}
# A name with a version is a package to install, a bare name one to bring up to date.
pkg_upgrade() {
  for word in "$@"; do
    spare "$word"
    case $word in *-[0-9]*) rpm_tool install "$word" ;; *) rpm_tool update "$word" ;; esac || fail package-manager "$word could not be upgraded"
  done
}
pkg_remove() { rpm_tool --setopt=clean_requirements_on_remove=False remove "$@"; }
pkg_put_back() {
  read_put_back -
  rpm_tool install $exact || pkg_install $plain
}
`,
  };
}

export const dnf = rpmManager("dnf");
export const yum = rpmManager("yum");
