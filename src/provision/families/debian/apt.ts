import type { PackageManager } from "../../install/package-manager.ts";
import { sh } from "../../shell/shell-text.ts";

/** apt and dpkg. needrestart is kept from restarting services that nobody announced. */
export const apt: PackageManager = {
  name: "apt",
  program: "apt-get",
  unhold: "apt-mark unhold",
  functions: sh`
pkg_busy='Could not get lock|Unable to lock|is another process using it'
DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none UCF_FORCE_CONFFOLD=1
export DEBIAN_FRONTEND NEEDRESTART_MODE NEEDRESTART_SUSPEND APT_LISTCHANGES_FRONTEND UCF_FORCE_CONFFOLD
pkg_list() { dpkg-query -W -f '\${Status} \${Package} \${Version}\n' 2> /dev/null | sed -n 's/^install ok installed //p'; }
# What could not be fetched is a warning to apt, and old lists do.
pkg_refresh() { managed apt-get -q update && ! grep -q '^W: \(Failed to fetch\|Some index files failed\)' "$managed_log"; }
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
pkg_preview() {
  outlook=$(apt-get -q -s -y --allow-change-held-packages -o Debug::NoLocking=1 --no-install-recommends install "$@" 2>&1) ||
    { printf '%s\n' "$outlook" >&2; return 1; }
  printf '%s\n' "$outlook" | awk '
    function bare(text) { gsub(/[][()]/, "", text); return text }
    /^The following held packages will be changed/ { held = 1; next }
    held && /^  / { for (i = 1; i <= NF; i++) print "held " $i; next }
    { held = 0 }
    $1 == "Remv" || $1 == "Purg" { print "remove " $2 " " bare($3) }
    $1 == "Inst" && $3 ~ /^\[/ { print "replace " $2 " " bare($3) " " bare($4) }
    $1 == "Inst" && $3 !~ /^\[/ { print "install " $2 " " bare($3) }'
}
# The lists that are there stand in the folder as links; what is fetched lies beside them.
pkg_try_in() {
  mkdir -p "$1/lists/partial" "$1/parts" || return 1
  for list in /var/lib/apt/lists/*; do [ -f "$list" ] && ln -s "$list" "$1/lists/"; done
  for list in /etc/apt/sources.list.d/*; do [ -f "$list" ] && ln -s "$list" "$1/parts/"; done
  [ -z "$2" ] || cp "$2" "$1/parts/docker-machine-$(basename "$2")"
  printf '%s "%s";\n' Dir::State::Lists "$1/lists" Dir::Etc::SourceParts "$1/parts" Dir::Cache::pkgcache "$1/pkgcache.bin" \
    Dir::Cache::srcpkgcache "$1/srcpkgcache.bin" APT::Sandbox::User root Debug::NoLocking 1 > "$1/apt.conf"
  APT_CONFIG=$1/apt.conf; export APT_CONFIG
  ls "$1"/lists/*Packages* > /dev/null 2>&1 || pkg_refresh
  [ -z "$2" ] || pkg_refresh_one "$1/parts/docker-machine-$(basename "$2")"
}
pkg_keep_all() {
  printf 'APT::Get::Remove "false";\n' > "$managed_log.conf"
  APT_CONFIG=$managed_log.conf; export APT_CONFIG
}
apt_install() {
  keeping=
  [ "$may_remove" = yes ] || keeping=--no-remove
  managed apt-get -q -y --no-install-recommends $keeping \${downgrading:+--allow-downgrades} -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold install "$@" && return 0
  spare "$@"
  return 1
}
pkg_install() {
  # A run that was cut off in the middle of dpkg is gone on with; a stranger's is left to its owner.
  [ -n "$continued" ] && managed dpkg --configure -a
  apt_install "$@" && return 0
  # Lists that are older than the mirror name files that are gone.
  if grep -Eq '404|Failed to fetch|Unable to locate|has no installation candidate|is not installable' "$managed_log"; then
    pkg_refresh
    apt_install "$@" && return 0
  fi
  fail package-manager "apt could not install $* on $label"
}
pkg_upgrade() { pkg_install "$@"; }
pkg_needed() {
  apt-get -q -s -o Debug::NoLocking=1 remove "$@" 2> /dev/null | sed -n 's/^\(Remv\|Purg\) \([^ ]*\).*/\2/p' |
    while read -r name; do case " $* " in *" $name "*) ;; *) echo "$name" ;; esac; done
}
pkg_remove() {
  # Purging Debian's docker.io would delete images and volumes: the script that does so is taken away first.
  managed apt-get -q -y remove "$@" && rm -f /var/lib/docker/nuke-graph-directory.sh && managed dpkg --purge "$@"
}
pkg_put_back() {
  specs=
  while read -r name version; do
    if apt-cache madison "$name" 2> /dev/null | grep -qF "| $version |"; then specs="$specs $name=$version"; else specs="$specs $name"; fi
  done
  pkg_install $specs
}
`,
};
