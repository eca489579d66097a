import type { PackageManager } from "../../install/package-manager.ts";
import { sh } from "../../shell/shell-text.ts";

/** pacman keeps one version of each package, so none can be asked for. */
export const pacman: PackageManager = {
  name: "pacman",
  program: "pacman",
  unhold: "IgnorePkg in /etc/pacman.conf",
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
pkg_try_in() { pkg_refresh() { fail - "what is to be installed is not in its lists of packages, which are brought up to date before"; }; }
# "--print" looks at no conflicts. So it is asked in earnest, in a folder of its own with the databases in it and without
# a lock, and told "yes" once more each time until it asks whether to proceed: there its input is at its end, which is "no".
pacman_outlook() {
  room_of_pacman=$(mktemp -d) || return 1
  outlook=
  for folder in local sync; do ln -s "/var/lib/pacman/$folder" "$room_of_pacman/$folder"; done
  answers=
  while :; do
    before=$outlook
    outlook=$(printf "$answers" | COLUMNS=1000 pacman -S --needed --dbpath "$room_of_pacman" --cachedir "$room_of_pacman" "$@" 2>&1)
    case $outlook in
      "$before"|*'Proceed with installation'*) break ;;
      *'[y/N]'*|*'[Y/n]'*) answers="$answers"'y\n' ;;
      *) break ;;
    esac
  done
  rm -rf "$room_of_pacman"
  case $outlook in *'Proceed with installation'*|*'there is nothing to do'*) return 0 ;; esac
  return 1
}
pkg_preview() {
  pacman_outlook "$@" || { printf '%s\n' "$outlook" >&2; return 1; }
  there=$(pkg_list)
  ignored=" $(pacman-conf IgnorePkg 2> /dev/null | tr '\n' ' ') "
  printf '%s\n' "$outlook" | awk '/^Packages \([0-9]+\)/ { wanted = 1; sub(/^Packages \([0-9]+\) */, "") } wanted && /^$/ { exit } wanted' |
    sed 's/ \[removal\]/|removal/g' | tr -s ' ' '\n' | while IFS='|' read -r full kind; do
      [ -n "$full" ] || continue
      version=$(printf '%s' "$full" | sed 's/^.*-\([^-]*-[^-]*\)$/\1/')
      name=\${full%-"$version"}
      old=$(printf '%s\n' "$there" | grep "^$name ")
      if [ "$kind" = removal ]; then echo "remove $name $version"
      elif [ -n "$old" ]; then echo "replace $old $version"
      else echo "install $name $version"; continue
      fi
      case $ignored in *" $name "*) echo "held $name" ;; esac
    done
}
# Unless it is told otherwise, "--noconfirm" answers "no" where something would go.
pacman_install() {
  asking=
  [ "$may_remove" = yes ] && asking='--ask 4'
  managed pacman -S --noconfirm --needed $asking "$@" && return 0
  spare "$@"
  return 1
}
# One that was killed leaves its lock behind; a lock is its owner's while any pacman is at work.
pacman_unlock() {
  [ -n "$continued" ] && [ -e /var/lib/pacman/db.lck ] || return 0
  grep -qx pacman /proc/[0-9]*/comm 2> /dev/null || rm -f /var/lib/pacman/db.lck
}
pkg_install() {
  pacman_unlock
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
