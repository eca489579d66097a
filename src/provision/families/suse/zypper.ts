import type { PackageManager } from "../../install/package-manager.ts";
import { sh } from "../../shell/shell-text.ts";

export const zypper: PackageManager = {
  name: "zypper",
  functions: sh`
pkg_busy='System management is locked'
pkg_list() { rpm -qa --qf '%{NAME}\n'; }
pkg_refresh() { managed zypper -n -q refresh; }
pkg_refresh_one() { pkg_refresh; }
pkg_trust() { rpm --import "$1" || fail package-manager "rpm did not accept the key $1"; }
pkg_available() { zypper -n -q search --match-exact "$1" > /dev/null 2>&1; }
pkg_spec() {
  zypper -n -q search -s --match-exact "$1" 2> /dev/null | awk -F ' *[|] *' -v wanted="$2" '
    index($4, wanted) == 1 && substr($4, length(wanted) + 1) !~ /^[0-9]/ { print $4; exit }' | sed "s/^/$1=/"
}
pkg_install() { managed zypper -n -q install --no-recommends "$@" || fail package-manager "zypper could not install $* on $label"; }
pkg_upgrade() { pkg_install "$@"; }
pkg_remove() { managed zypper -n -q remove "$@"; }
`,
};
