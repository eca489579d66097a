import type { PackageManager } from "../../install/package-manager.ts";
import { sh } from "../../shell/shell-text.ts";

/** apt and dpkg. needrestart is kept from restarting services that nobody announced. */
export const apt: PackageManager = {
  name: "apt",
  functions: sh`
pkg_busy='Could not get lock|Unable to lock|is another process using it'
DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none UCF_FORCE_CONFFOLD=1
export DEBIAN_FRONTEND NEEDRESTART_MODE NEEDRESTART_SUSPEND APT_LISTCHANGES_FRONTEND UCF_FORCE_CONFFOLD
pkg_list() { dpkg-query -W -f '\${Status} \${Package}\n' 2> /dev/null | sed -n 's/^install ok installed //p'; }
pkg_refresh() { managed apt-get -q update; }
pkg_refresh_one() {
  managed apt-get -q update -o Dir::Etc::sourcelist="$1" -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0
}
pkg_trust() { :; }
pkg_available() { apt-cache policy "$1" 2> /dev/null | grep -q '^  Candidate: [^(]'; }
pkg_spec() {
  full=$(apt-cache madison "$1" 2> /dev/null | awk -F ' *[|] *' -v wanted="$2" '
    { version = $2; sub(/^[0-9]+:/, "", version) }
    index(version, wanted) == 1 && substr(version, length(wanted) + 1) !~ /^[0-9]/ { print $2; exit }')
  [ -n "$full" ] && printf '%s=%s' "$1" "$full"
}
apt_install() {
  managed apt-get -q -y --no-install-recommends -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold install "$@"
}
pkg_install() {
  # A run that was cut off in the middle of dpkg is gone on with; a stranger's is left to its owner.
  [ -n "$continued" ] && managed dpkg --configure -a
  apt_install "$@" && return 0
  # Lists that are older than the mirror name files that are gone.
  if grep -Eq '404|Failed to fetch|Unable to locate|has no installation candidate' "$managed_log"; then
    pkg_refresh
    apt_install "$@" && return 0
  fi
  fail package-manager "apt could not install $* on $label"
}
pkg_upgrade() { pkg_install "$@"; }
pkg_remove() {
  # Purging Debian's docker.io would delete images and volumes: the script that does so is taken away first.
  managed apt-get -q -y remove "$@" && rm -f /var/lib/docker/nuke-graph-directory.sh && managed dpkg --purge "$@"
}
`,
};
