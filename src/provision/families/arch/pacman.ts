import type { PackageManager } from "../../install/package-manager.ts";
import { sh } from "../../shell/shell-text.ts";

/** pacman keeps one version of each package, so none can be asked for. */
export const pacman: PackageManager = {
  name: "pacman",
  functions: sh`
pkg_busy='unable to lock database'
pkg_list() { pacman -Q; }
pkg_refresh() { managed pacman -Sy --noconfirm; }
pkg_refresh_one() { pkg_refresh; }
pkg_trust() { :; }
pkg_available() { pacman -Si "$1" > /dev/null 2>&1; }
pkg_spec() {
  pacman -Si "$1" 2> /dev/null | awk -v name="$1" -v wanted="$2" '
    $1 == "Version" { sub(/^[0-9]+:/, "", $3); if (index($3, wanted) == 1 && substr($3, length(wanted) + 1) !~ /^[0-9]/) print name; exit }'
}
pkg_try_in() { pkg_refresh() { :; }; }
# --ask 4 answers the question about conflicting packages with yes; what it would remove is in the question.
pkg_preview() {
  outlook=$(pacman -S --print --print-format 'install %n %v' --noconfirm --needed --ask 4 "$@" 2>&1) ||
    { printf '%s\n' "$outlook" >&2; return 1; }
  printf '%s\n' "$outlook" | sed -n 's/^install //p' | while read -r name version; do
    old=$(pacman -Q "$name" 2> /dev/null) && echo "replace $old $version" || echo "install $name $version"
  done
  printf '%s\n' "$outlook" | sed -n 's/.*in conflict.* Remove \([^ ?]*\)?.*/\1/p; s/.*Replace \([^ ?]*\) with .*/\1/p' | sed 's|^[^/]*/||' | sort -u |
    while read -r name; do echo "remove $(pacman -Q "$name" 2> /dev/null || echo "$name -")"; done
}
pacman_install() {
  spare "$@"
  asking=
  [ "$may_remove" = yes ] && asking='--ask 4'
  managed pacman -S --noconfirm --needed $asking "$@"
}
pkg_install() {
  pacman_install "$@" && return 0
  # A database older than the mirror names files that are gone. The rest of the system is not upgraded.
  grep -q 'failed retrieving file\|target not found' "$managed_log" && pkg_refresh && pacman_install "$@" && return 0
  fail package-manager "pacman could not install $* on $label"
}
pkg_upgrade() { pkg_install "$@"; }
pkg_needed() { :; }
pkg_remove() { managed pacman -R --noconfirm "$@"; }
pkg_put_back() { read_put_back -; pkg_install $plain; }
`,
};
