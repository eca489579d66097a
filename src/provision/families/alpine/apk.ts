import type { PackageManager } from "../../install/package-manager.ts";
import { sh } from "../../shell/shell-text.ts";

/** The engine is in the community repository; where that is not enabled it is named for this one command. */
export const apk: PackageManager = {
  name: "apk",
  program: "apk",
  unhold: "apk add NAME without a version",
  functions: sh`
pkg_busy='Unable to lock database'
community=
grep -q '^[^#].*/community' /etc/apk/repositories 2> /dev/null ||
  community=$(sed -n 's|^\(http[^#]*\)/main/*$|--repository \1/community|p' /etc/apk/repositories 2> /dev/null | head -n 1)
# NAME-VERSION-rRELEASE: the last two parts are the version.
pkg_list() { apk info -v 2> /dev/null | sed -n 's/^\(.*\)-\([^-]*-r[0-9]*\)$/\1 \2/p'; }
pkg_refresh() { managed apk $community update; }
pkg_refresh_one() { pkg_refresh; }
pkg_trust() { :; }
pkg_available() { [ -n "$(apk $community search -q -x "$1" 2> /dev/null)" ]; }
pkg_spec() { printf '%s~%s' "$1" "$2"; }
pkg_try_in() { pkg_refresh() { fail - "what is to be installed is not in its lists of packages, which are brought up to date before"; }; }
pkg_preview() {
  outlook=$(apk $community add --simulate "$@" 2>&1) || { printf '%s\n' "$outlook" >&2; return 1; }
  printf '%s\n' "$outlook" | tr -d '()' | awk '
    $2 == "Installing" { print "install " $3 " " $4 }
    $2 == "Purging" { print "remove " $3 " " $4 }
    $2 == "Upgrading" || $2 == "Downgrading" || $2 == "Replacing" { print "replace " $3 " " $4 " " $6 }'
}
pkg_install() { spare "$@"; managed apk $community add "$@" || fail package-manager "apk could not install $* on $label"; }
pkg_upgrade() { spare "$@"; managed apk $community add -u "$@" || fail package-manager "apk could not upgrade $*"; }
pkg_needed() { :; }
pkg_remove() { managed apk del "$@"; }
pkg_put_back() {
  read_put_back =
  managed apk $community add $exact || pkg_install $plain
}
`,
};
