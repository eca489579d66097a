import type { PackageManager } from "../../install/package-manager.ts";
import { rpmFunctions } from "../../install/rpm.ts";
import { sh } from "../../shell/shell-text.ts";

export const zypper: PackageManager = {
  name: "zypper",
  program: "zypper",
  unhold: "zypper removelock",
  functions: sh`
pkg_busy='System management is locked|transaction lock'
${rpmFunctions}
# From 100 on it tells of something beside what was asked for, which is done by then: 102 a restart of the machine would be
# good, 103 zypper itself was renewed, 106 a repository could not be read and was left out.
zypper_does() { zypper -n "$@"; zypper_status=$?; case $zypper_status in 102|103|106) return 0 ;; esac; return "$zypper_status"; }
zypper_tool() { noting_keys managed zypper_does -q "$@"; }
pkg_refresh() { zypper_tool refresh; }
pkg_refresh_one() { pkg_refresh; }
pkg_available() { zypper -n -q search --match-exact "$1" > /dev/null 2>&1; }
pkg_spec() {
  zypper -n -q search -s --match-exact "$1" 2> /dev/null | awk -F ' *[|] *' -v wanted="$2" '
    index($4, wanted) == 1 && substr($4, length(wanted) + 1) !~ /^[0-9]/ { print $4; exit }' | sed "s/^/$1=/"
}
# What is foretold is looked up in lists that are brought up to date by the same question, and by no other one.
looking=--no-refresh
pkg_try_in() {
  pkg_refresh() { :; }
  pkg_available() { :; }
  looking=
}
pkg_state() {
  { rpm -qa; cat /var/cache/zypp/solv/*/cookie /etc/zypp/locks /etc/zypp/zypp.conf /etc/zypp/repos.d/*; } 2> /dev/null | cksum | tr ' ' -
}
# A lock is a problem to solve: nothing is done then, and a solution names what would have to be released.
pkg_preview() {
  outlook=$(zypper -n -x $looking install --dry-run --no-recommends --force-resolution "$@" 2>&1)
  case $outlook in
    *"<install-summary"*) ;;
    *'Nothing to do'*) return 0 ;;
    *'remove lock to allow'*)
      printf '%s\n' "$outlook" | sed -n 's/\[.*//; s/.*remove lock to allow [a-z]* of \(.*\)-[^-]*-[^-]*$/held \1/p' | sort -u
      return 0 ;;
    *) printf '%s\n' "$outlook" | sed 's/<[^>]*>//g; s/&apos;/'"'"'/g; s/&quot;/"/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g' >&2; return 1 ;;
  esac
  printf '%s\n' "$outlook" | sed 's/></>\n</g' | awk '
    function value(name,   found) {
      if (!match($0, " " name "=\"[^\"]*\"")) return "-"
      found = substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4)
      return found
    }
    /<to-install/ { part = "install" }
    /<to-remove/ { part = "remove" }
    /<to-(upgrade|downgrade|change-arch)/ { part = "replace" }
    /<\/to-/ { part = "" }
    /<solvable/ && /type="package"/ {
      if (part == "replace") print "replace " value("name") " " value("edition-old") " " value("edition")
      else if (part != "") print part " " value("name") " " value("edition")
    }'
}
zypper_install() {
  spare "$@"
  resolving=
  [ "$may_remove" = yes ] && resolving=--force-resolution
  zypper_tool \${as_foretold:+--no-refresh} install --no-recommends $resolving \${downgrading:+--oldpackage} "$@"
}
pkg_install() {
  zypper_install "$@" && return 0
  # What is known of a repository may be older than the mirror, and name files that are gone.
  grep -q 'not found on medium' "$managed_log" && pkg_refresh && zypper_install "$@" && return 0
  fail package-manager "zypper could not install $* on $label"
}
pkg_upgrade() { pkg_install "$@"; }
pkg_remove() { if [ -n "$coming_back" ]; then rpm_erase "$@"; else zypper_tool remove "$@"; fi; }
pkg_put_back() {
  read_put_back =
  zypper_tool install --no-recommends $exact || pkg_install $plain
}
`,
};
