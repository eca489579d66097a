#!/bin/sh
# `npm test [GROUP [PATTERN]]`: fetches what is missing, then builds the two programs that the end-to-end tests run, checks
# the sources, and runs every test; or builds and runs the groups that are named. Ends with status 0 or 1 when the line that
# counts has been printed, and with another when it came to nothing.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$root"
sh scripts/setup.sh || exit 3
. scripts/toolchain.sh
sh scripts/test-packages.sh
sh scripts/moto-packages.sh
sh scripts/team-packages.sh
sh scripts/age-package.sh
sh scripts/vcsim.sh
if [ $# -gt 0 ]; then
  groups=$1
  shift
  case $groups in unit | check | check,unit) ;; *) groups=build,$groups ;; esac
  set -- "$groups" "$@"
fi
exec node scripts/test.ts "$@"
