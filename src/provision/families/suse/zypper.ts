import type { PackageManager } from "../../install/package-manager.ts";
import { rpmFunctions } from "../../install/rpm.ts";
import { sh } from "../../shell/shell-text.ts";

export const zypper: PackageManager = {
  name: "zypper",
  functions: sh`
pkg_busy='System management is locked'
${rpmFunctions}
pkg_refresh() { managed zypper -n -q refresh; }
pkg_refresh_one() { pkg_refresh; }
pkg_available() { zypper -n -q search --match-exact "$1" > /dev/null 2>&1; }
pkg_spec() {
  zypper -n -q search -s --match-exact "$1" 2> /dev/null | awk -F ' *[|] *' -v wanted="$2" '
    index($4, wanted) == 1 && substr($4, length(wanted) + 1) !~ /^[0-9]/ { print $4; exit }' | sed "s/^/$1=/"
}
pkg_try_in() { pkg_refresh() { :; }; }
# Locks of its owner make zypper refuse the package; all else is told as XML.
pkg_preview() {
  outlook=$(zypper -n -x --no-refresh install --dry-run --no-recommends --force-resolution "$@" 2>&1)
  case $outlook in *"<install-summary"*) ;; *'Nothing to do'*) return 0 ;; *) printf '%s\n' "$outlook" >&2; return 1 ;; esac
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
pkg_install() {
  spare "$@"
  resolving=
  [ "$may_remove" = yes ] && resolving=--force-resolution
  managed zypper -n -q install --no-recommends $resolving "$@" || fail package-manager "zypper could not install $* on $label"
}
pkg_upgrade() { pkg_install "$@"; }
pkg_remove() { managed zypper -n -q remove "$@"; }
pkg_put_back() {
  read_put_back =
  managed zypper -n -q install --no-recommends $exact || pkg_install $plain
}
`,
};
