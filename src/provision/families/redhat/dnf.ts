import type { PackageManager } from "../../install/package-manager.ts";
import { rpmFunctions } from "../../install/rpm.ts";
import { sh } from "../../shell/shell-text.ts";

/** What is there is under dnf's own protection then: it goes neither for a conflict nor because what comes replaces it. */
const keepByDnf = sh`
rpm_keep() {
  rpm_keeping=--allowerasing
  [ "$may_remove" = yes ] && return 0
  rpm -qa --qf '%{NAME}\n' > "$managed_log.protected" || fail package-manager "rpm could not tell what is installed on $label"
  rpm_keeping="--setopt=protected_packages=glob:$managed_log.protected"
}`;
/** yum's protection is no hindrance to what replaces a package. */
const keepByPreview = sh`
rpm_keep() { rpm_keeping=; spare $words; }`;

/**
 * dnf and its elder yum, which take the same words here. They are told not to wait for a lock: `managed` does, with a bound.
 * Each start of theirs reads all that is known of the repositories, half a second or more: they are asked as little as can be.
 */
function rpmManager(tool: "dnf" | "yum"): PackageManager {
  const weak = tool === "dnf" && sh`--setopt=install_weak_deps=False`;
  const best = tool === "dnf" && sh`--best`;
  const erasing = tool === "dnf" && sh`--allowerasing`;
  return {
    name: tool,
    program: tool,
    unhold: `${tool} versionlock delete`,
    functions: sh`
pkg_busy='Another app is currently holding|is running as pid|Waiting for process with pid|exit_on_lock|transaction lock'
${rpmFunctions}
rpm_sources=
rpm_tool() { noting_keys managed ${tool} -y --setopt=exit_on_lock=True $rpm_sources "$@"; }
# What is known of the repositories counts as old: it is asked for anew when it is next needed.
pkg_refresh() { managed ${tool} -q clean expire-cache; }
pkg_refresh_one() { :; }
pkg_available() { ${tool} -q --setopt=exit_on_lock=True $rpm_sources list available "$1" > /dev/null 2>&1 || rpm -q "$1" > /dev/null 2>&1; }
pkg_offered() { printf ' %s' "$@"; }
pkg_spec() {
  ${tool} -q $rpm_sources --showduplicates list "$1" 2> /dev/null | awk -v wanted="$2" '
    { version = $2; sub(/^[0-9]+:/, "", version) }
    index(version, wanted) == 1 && substr(version, length(wanted) + 1) !~ /^[0-9]/ { found = version }
    END { if (found != "") print found }' | sed "s/^/$1-/"
}
pkg_try_in() { [ -z "$2" ] || rpm_sources="--setopt=reposdir=/etc/yum.repos.d,$(dirname "$2")"; }
# Of dnf NAME-EPOCH:VERSION-RELEASE.*, of yum EPOCH:NAME-VERSION-RELEASE.*; what begins with ! is an exclusion.
rpm_locked() {
  sed -n '/^[#!]/d; s/^[0-9]*://; s/-[^-]*-[^-]*$//p' /etc/dnf/plugins/versionlock.list /etc/yum/pluginconf.d/versionlock.list 2> /dev/null
}
rpm_outlook() {
  words="$*"
  while :; do
    outlook=$(COLUMNS=200 ${tool} --assumeno --setopt=exit_on_lock=True $rpm_sources ${weak} ${erasing} $rpm_unlocked install $words 2>&1)
    case $outlook in *"Transaction Summary"*|*"Nothing to do"*) return 0 ;; esac
    leave_out "$outlook" $words || return 1
  done
}
rpm_unlocked=
# A lock keeps newer packages from view, those that replace the locked one as well, and does not keep it from removal.
pkg_preview() {
  locked=$(rpm_locked | tr '\n' ' ')
  rpm_outlook "$@" || {
    refusal=$outlook
    rpm_unlocked=--disableplugin=versionlock
    [ -n "$locked" ] && rpm_outlook "$@"
  } || { printf '%s\n' "$refusal" >&2; return 1; }
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
    $1 ~ /^(noarch|x86_64|aarch64|i686|armv7hl|ppc64le|s390x|riscv64)$/ { tell(last, $2) }' |
    awk -v locked=" $locked" '{ print } ($1 == "remove" || $1 == "replace") && index(locked, " " $2 " ") { print "held " $2 }'
}
${tool === "dnf" ? keepByDnf : keepByPreview}
rpm_install() {
  words="$*"
  rpm_keep
  until rpm_tool ${weak} $rpm_keeping $rpm_best install $words; do
    leave_out "$(cat "$managed_log")" $words || { spare $words; return 1; }
  done
}
rpm_best=
pkg_install() {
  rpm_install "$@" && return 0
  # What is known of a repository may be older than the mirror, and name files that are gone.
  grep -q '404\|Cannot download' "$managed_log" && pkg_refresh && rpm_install "$@" && return 0
  fail package-manager ${`${tool} could not install`}" \${words# } on $label"
}
# "update" fails for a package that is available and not there yet; "install" leaves what is there alone where its owner
# does not want the best.
pkg_upgrade() { rpm_best=${best}; pkg_install "$@"; }
pkg_remove() { if [ -n "$coming_back" ]; then rpm_erase "$@"; else rpm_tool --setopt=clean_requirements_on_remove=False remove "$@"; fi; }
pkg_put_back() {
  read_put_back -
  rpm_tool install $exact || pkg_install $plain
}
`,
  };
}

export const dnf = rpmManager("dnf");
export const yum = rpmManager("yum");
