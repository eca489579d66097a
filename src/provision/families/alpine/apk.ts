import type { PackageManager } from "../../install/package-manager.ts";
import { sh } from "../../shell/shell-text.ts";

/** The engine is in the community repository; where that is not enabled it is named for this one command. */
export const apk: PackageManager = {
  name: "apk",
  functions: sh`
pkg_busy='Unable to lock database'
community=
grep -q '^[^#].*/community' /etc/apk/repositories 2> /dev/null ||
  community=$(sed -n 's|^\(http[^#]*\)/main/*$|--repository \1/community|p' /etc/apk/repositories 2> /dev/null | head -n 1)
pkg_list() { apk info -q 2> /dev/null; }
pkg_refresh() { managed apk $community update; }
pkg_refresh_one() { pkg_refresh; }
pkg_trust() { :; }
pkg_available() { [ -n "$(apk $community search -q -x "$1" 2> /dev/null)" ]; }
pkg_spec() { printf '%s~%s' "$1" "$2"; }
pkg_install() { managed apk $community add "$@" || fail package-manager "apk could not install $* on $label"; }
pkg_upgrade() { managed apk $community add -u "$@" || fail package-manager "apk could not upgrade $*"; }
pkg_remove() { managed apk del "$@"; }
`,
};
