import { sh } from "../shell/shell-text.ts";

/**
 * `package_of FILE`: prints the package that a file came with, nothing for one that is nobody's, and fails where the
 * package manager cannot tell: its database is locked or damaged, or it hangs. Needs the looking functions.
 */
export const packageOwner = sh`
package_of() {
  # dpkg's own search reads the lists of all packages; those that may hold an engine are few.
  for package in docker-ce docker.io docker-engine; do
    grep -qx "$1" "/var/lib/dpkg/info/$package.list" 2> /dev/null && { echo "$package"; return; }
  done
  if has dpkg-query; then owner=$(owner_told dpkg-query -S "$1") || return 1
  elif has rpm; then owner=$(owner_told rpm -qf --qf '%{NAME}\n' "$1") || return 1
  elif has pacman; then owner=$(owner_told pacman -Qqo "$1") || return 1
  elif has apk; then owner=$(owner_told apk info -qW "$1") || return 1
  else return 0
  fi
  printf '%s\n' "\${owner%%:*}"
}
# A status that is not 0 is no answer yet: it is one for a file that is nobody's, and for a database that cannot be read.
owner_told() {
  told=$(bounded "$@" 2> /dev/null) && { printf '%s\n' "$told" | head -n 1; return 0; }
  case $(bounded "$@" 2>&1) in
    *'no path found'*|*'not owned by any'*|*'No package owns'*|*'Could not find owner'*) return 0 ;;
  esac
  return 1
}
`;
